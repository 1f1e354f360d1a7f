# bash completion for passthroughd                                         -*- shell-script -*-
# SPDX-License-Identifier: GPL-2.0-or-later
_passthroughd()
{
	local cur prev words cword split
	_init_completion -s || return
	case $prev in
	--root)
		_filedir -d
		return
		;;
	--spec | --workers)
		_filedir
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null |
		sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$cur")
} && complete -F _passthroughd passthroughd
