# bash completion for passthroughctl                                       -*- shell-script -*-
# SPDX-License-Identifier: GPL-2.0-or-later
# Verbs, options and what they take are read from the program's own help: there is no second list.

# __passthroughctl_section HEADING: the lines of that section of the help on standard input.
__passthroughctl_section()
{
	sed -n "/^$1:/,/^\$/s/^  //p"
}

# What `explain` takes: names of the spec, addresses of this host, with the words that say where to look.
__passthroughctl_devices()
{
	"$@" status --json 2>/dev/null | sed -n 's/.*"id": "device:\([^"]*\)".*/\1/p'
	"$@" devices --json 2>/dev/null | sed -n 's/.*"address": "\([^"]*\)".*/\1/p'
	echo boot
}

_passthroughctl()
{
	local cur prev words cword split ctl help verb taking takes i
	_init_completion -s -n : || return
	ctl=("${words[0]}")
	help=$("${words[0]}" --help 2>/dev/null) || return
	taking=$(__passthroughctl_section Options <<<"$help" | sed -n 's/^\(--[a-z-]*\) [A-Z].*/\1/p')

	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--root=* | --host=* | --spec=*) ctl+=("${words[i]}") ;;
		--root | --host | --spec) ctl+=("${words[i]}" "${words[i + 1]-}") ;;
		esac
		if [[ $'\n'$taking$'\n' == *$'\n'${words[i]}$'\n'* ]]; then
			((i++))
		elif [[ ${words[i]} != -* && -z $verb ]]; then
			verb=${words[i]}
		fi
	done

	if [[ $split == true || $'\n'$taking$'\n' == *$'\n'$prev$'\n'* ]]; then
		takes=$(__passthroughctl_section Options <<<"$help" |
			sed -n "s/^$prev[[ =]*\([A-Z]*\).*/\1/p")
		case $takes in
		DIR) _filedir -d ;;
		FILE | PATH) _filedir ;;
		WHEN) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur") ;;
		esac
		return
	fi

	if [[ $cur == -* ]]; then
		[[ -z $verb ]] || help=$("${words[0]}" "$verb" --help 2>/dev/null)
		mapfile -t COMPREPLY < <(compgen -W "$(__passthroughctl_section Options <<<"$help" |
			sed -n 's/^\(--[a-z-]*\).*/\1/p')" -- "$cur")
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(__passthroughctl_section Verbs <<<"$help" |
			cut -d ' ' -f 1)" -- "$cur")
	else
		takes=$(__passthroughctl_section Verbs <<<"$help" | sed -n "s/^$verb \[*\([A-Z|]*\).*/\1/p")
		case $takes in
		FILE*) _filedir ;;
		CAPTURE*) _filedir host ;;
		NAME*)
			mapfile -t COMPREPLY < <(compgen -W "$(__passthroughctl_devices "${ctl[@]}")" -- "$cur")
			__ltrim_colon_completions "$cur"
			;;
		esac
	fi
} && complete -F _passthroughctl passthroughctl
