# SPDX-License-Identifier: GPL-2.0-or-later
# `cpack -G DEB` in a build folder makes passthroughd_VERSION_ARCH.deb. To be included last.
set(CPACK_PACKAGE_NAME passthroughd)
set(CPACK_PACKAGE_CONTACT "passthroughd maintainers <maintainers@passthroughd.example>")
set(CPACK_GENERATOR DEB)
# /etc is no folder below the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Opened with dlopen, so that nothing finds them by itself. Without libarchive no image can be read,
# without libkmod no module be loaded; without libpci devices have numbers for names.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libarchive13 | libarchive13t64, libkmod2")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libpci3, pci.ids, dbus, polkitd")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus-node-exporter")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "keeps a host ready to hand PCI devices to virtual machines
A daemon reads files in /etc/passthroughd, works out what they mean on this
machine, and makes it so: kernel flags, module options, blacklists, early
binding, the initramfs of every kernel, the boot loader.

What can be bound safely is bound at once. It says when only a reboot is left
and why, and proves afterwards that what it promised came true. All of it is
shown before anything is done, and can be taken back.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/postinst
	${CMAKE_CURRENT_LIST_DIR}/prerm ${CMAKE_CURRENT_LIST_DIR}/postrm)

set(CPACK_PTHRU_SOURCE ${CMAKE_SOURCE_DIR})
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/epoch.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
include(CPack)
