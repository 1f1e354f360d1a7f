/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is judged on the merged whole: what is missing, what does not fit together. Pure. */
#pragma once

#include "schema.h"

/* A device selects something. */
int check_device(struct reader *r, struct node *node, void *object);

/* A guest's name fits its hypervisor; its devices are listed. */
int check_vm(struct reader *r, struct node *node, void *object);

/* Resolves what depends on the rest. */
int check_document(struct reader *r, struct node *node, void *object);
