# SPDX-License-Identifier: GPL-2.0-or-later
# One time for all that a package holds, so that the same commit makes the same bytes.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
	execute_process(COMMAND git -C ${CPACK_PTHRU_SOURCE} log -1 --format=%ct
		OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
	if(NOT epoch)
		execute_process(COMMAND dpkg-parsechangelog -S Timestamp
			-l ${CPACK_PTHRU_SOURCE}/conf/package/changelog
			OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE
			COMMAND_ERROR_IS_FATAL ANY)
	endif()
	set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()
