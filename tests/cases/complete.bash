# SPDX-License-Identifier: GPL-2.0-or-later
# complete.bash FILE LINE: what bash offers for the last word of LINE once FILE is loaded.
. /usr/share/bash-completion/bash_completion
. "$1"
COMP_LINE=$2
COMP_POINT=${#2}
COMP_TYPE=9
# readline parts words at : and = too (COMP_WORDBREAKS).
line=${2//=/ = }
line=${line//:/ : }
read -ra COMP_WORDS <<<"$line"
[[ $line != *' ' || $2 == *[:=] ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"_${COMP_WORDS[0]}" "${COMP_WORDS[0]}"
printf '%s\n' "${COMPREPLY[@]}"
