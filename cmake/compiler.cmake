# SPDX-License-Identifier: Apache-2.0
# Compiler choice and flags. Stops with the remedy when the compiler miscompiles coroutines.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13.3)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines. "
    "Remedy: apt install clang-19, then configure with a preset (cmake --preset dev).")
endif()

if(NOT DEFINED TANIST_COROUTINE_PROBE)
  try_run(TANIST_PROBE_RUNS TANIST_PROBE_COMPILES
    ${CMAKE_BINARY_DIR}/probe ${CMAKE_CURRENT_LIST_DIR}/coroutine_probe.cpp
    CMAKE_FLAGS -DCMAKE_CXX_STANDARD=20
    COMPILE_DEFINITIONS -std=c++20)
  if(NOT TANIST_PROBE_COMPILES OR NOT TANIST_PROBE_RUNS EQUAL 0)
    message(FATAL_ERROR "This compiler fails the coroutine probe (cmake/coroutine_probe.cpp). "
      "Remedy: apt install clang-19, then configure with a preset (cmake --preset dev).")
  endif()
  set(TANIST_COROUTINE_PROBE passed CACHE INTERNAL "")
endif()

add_library(tanist_flags INTERFACE)
target_include_directories(tanist_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_options(tanist_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wimplicit-fallthrough
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(tanist_flags INTERFACE -Wno-missing-field-initializers)
endif()
if(TANIST_WARNINGS_AS_ERRORS)
  target_compile_options(tanist_flags INTERFACE -Werror)
endif()
target_compile_definitions(tanist_flags INTERFACE TANIST_VERSION="${PROJECT_VERSION}")
if(TANIST_SANITIZE)
  target_compile_options(tanist_flags INTERFACE
    -fsanitize=${TANIST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(tanist_flags INTERFACE -fsanitize=${TANIST_SANITIZE})
endif()
if(TANIST_FUZZ)
  target_compile_options(tanist_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
