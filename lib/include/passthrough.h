/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passthroughd as a library: one engine for the command, the daemon and tests.
 *
 * Five opaque values. _load, _observe and _make produce; _free destroys (NULL is fine, returns
 * NULL); _print renders. Every function returns 0 or a positive answer, or a negative errno, and
 * leaves its ret_ arguments alone on failure. Nothing logs, exits or keeps global state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pthru_ctx;    /* a root directory or a capture, and where specs are read from */
struct pthru_spec;   /* what the administrator wants; always valid */
struct pthru_host;   /* what this machine is; a snapshot */
struct pthru_plan;   /* what to do about the difference; possibly nothing */
struct pthru_report; /* what was done, step by step */
struct pthru_diags;  /* everything wrong with the input, with positions */
