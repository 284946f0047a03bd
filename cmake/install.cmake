# SPDX-License-Identifier: Apache-2.0
# `cmake --install BUILD` and `cpack --config BUILD/CPackConfig.cmake`: programs, pages for man and
# completions. Units, certificates and settings are those of a cluster: `tanistctl provision` writes
# them.

include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # packing builds no tests
install(TARGETS tanist tanist-guard tanistctl RUNTIME)
# Scripts that call patronictl go on with a link of that name; it is left to the operator, because
# the package patroni has a program of that name.
set(pages ${CMAKE_BINARY_DIR}/manual)
install(FILES ${pages}/tanist.1 ${pages}/tanistctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages}/tanist.yml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${pages}/tanistctl.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tanistctl)
install(FILES ${pages}/tanistctl.zsh
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _tanistctl)
install(FILES ${pages}/tanistctl.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME tanistctl.fish)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the tanist team <tanist@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "high availability agent for PostgreSQL")
set(CPACK_PACKAGE_DESCRIPTION "Keeps one server of a cluster the primary and replaces it when it
 fails. Reads the configuration of Patroni 4, shares its keys in etcd and answers its REST API.")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql, etcd-server")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
include(CPack)
