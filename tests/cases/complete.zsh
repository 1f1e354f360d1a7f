# SPDX-License-Identifier: GPL-2.0-or-later
# complete.zsh FILE WORD...: what FILE hands to zsh's own functions for the last WORD.
_arguments() { print -rl -- "${@}"; return 1; }
_describe() { print -rl -- ${(P)2%%:*}; }
file=$1
shift
words=("$@")
CURRENT=$#
. $file
