/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading a kernel module into the running kernel; the only user of libkmod. Effects. */
#pragma once

/*
 * Loads name ('-' and '_' alike) with modprobe.d's options and what it depends on. Loaded already
 * or built in is success. A blacklist does not hinder: it speaks of aliases only (fact 6.13).
 * -ENOENT when this kernel has no such module, -ENOSYS without libkmod.
 */
int module_load(const char *name);
