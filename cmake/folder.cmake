# SPDX-License-Identifier: Apache-2.0
# tanist_folder(NAME LINKS ... [DIRECTORY ...]): a library tanist_NAME of all .cpp/.c files of the
# folder but tests and programs, and one GoogleTest program of its *_test.cpp files. PRECOMPILE
# names a header that most files of the folder include and that is slow to read.

function(tanist_folder name)
  cmake_parse_arguments(ARG "" "DIRECTORY;PRECOMPILE" "LINKS;EXCLUDE" ${ARGN})
  if(NOT ARG_DIRECTORY)
    set(ARG_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_DIRECTORY}/*.cpp ${ARG_DIRECTORY}/*.c)
  file(GLOB tests CONFIGURE_DEPENDS ${ARG_DIRECTORY}/*_test.cpp)
  list(REMOVE_ITEM sources ${tests} ${ARG_DIRECTORY}/main.cpp ${ARG_DIRECTORY}/main.c)
  foreach(excluded ${ARG_EXCLUDE})
    list(REMOVE_ITEM sources ${ARG_DIRECTORY}/${excluded})
  endforeach()
  add_library(tanist_${name} STATIC ${sources})
  target_link_libraries(tanist_${name} PUBLIC tanist_flags ${ARG_LINKS})
  if(ARG_PRECOMPILE)
    target_precompile_headers(tanist_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/${ARG_PRECOMPILE})
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")  # so that ccache may keep what was built with it
      target_compile_options(tanist_${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
  if(TANIST_TESTS AND NOT TANIST_FUZZ AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tanist_${name}
      GTest::gtest GTest::gmock GTest::gtest_main)
    if(ARG_PRECOMPILE)
      target_precompile_headers(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/src/${ARG_PRECOMPILE})
    endif()
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST
      TEST_PREFIX "${name}." PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
