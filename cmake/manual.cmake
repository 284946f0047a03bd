# SPDX-License-Identifier: Apache-2.0
# Target `manual`: pages for man and scripts for shells in BUILD/manual, printed by the programs
# themselves.

set(folder ${CMAKE_BINARY_DIR}/manual)
set(pages)
function(tanist_page name)
  add_custom_command(OUTPUT ${folder}/${name}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND ${ARGN} > ${folder}/${name} VERBATIM)
  set(pages ${pages} ${folder}/${name} PARENT_SCOPE)
endfunction()

foreach(page tanistctl.1 tanist.yml.5)
  tanist_page(${page} $<TARGET_FILE:tanistctl> manual ${page})
endforeach()
tanist_page(tanist.1 /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tools/man_of_help.py
  $<TARGET_FILE:tanist> 1 "keeps a PostgreSQL cluster highly available")
foreach(shell bash zsh fish)
  tanist_page(tanistctl.${shell} $<TARGET_FILE:tanistctl> completion ${shell})
endforeach()
add_custom_target(manual ALL DEPENDS ${pages})
add_dependencies(manual tanist tanistctl)
