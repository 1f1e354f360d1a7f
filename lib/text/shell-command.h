/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simple commands of the shell, for this folder's own use. Pure. */
#pragma once

#include "shell.h"

/* Adds an effect of the command at hand. */
void shell_effect(struct shell *s, enum shell_effect_kind kind, const char *name, const char *why);

/* Takes the word at hand with what its expansions do. */
void shell_take_word(struct shell *s);

/* Takes a redirection with its file name. */
void shell_take_redirection(struct shell *s);

/* Assignments, words, redirections; or "NAME() body". */
void shell_simple_command(struct shell *s);

/* Parses a function's body. */
void shell_function_body(struct shell *s);
