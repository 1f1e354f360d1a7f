# SPDX-License-Identifier: GPL-2.0-or-later
# What Debian wants besides an installed tree: its documents, and compressed manual pages.
set(tree ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(from ${CPACK_PTHRU_SOURCE}/conf/package)
set(doc ${tree}/usr/share/doc/${CPACK_PACKAGE_NAME})

file(MAKE_DIRECTORY ${doc})
file(COPY ${from}/copyright ${from}/changelog DESTINATION ${doc}
	FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(GLOB pages ${tree}/usr/share/man/man*/*.[0-9])
execute_process(COMMAND gzip -9n ${doc}/changelog ${pages} COMMAND_ERROR_IS_FATAL ANY)

# These change from one compiler to the next and say nothing.
file(GLOB programs ${tree}/usr/bin/* ${tree}/usr/sbin/* ${tree}/usr/libexec/passthroughd/*)
execute_process(COMMAND strip --remove-section=.comment --remove-section=.note ${programs}
	COMMAND_ERROR_IS_FATAL ANY)
