/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages about the host's devices. Pure. */
#pragma once

#include "guard.h"
#include "render-part.h"

/* A line on IOMMU and interrupts, and the verdicts on the host's support. */
void page_support(struct page *p, const struct guard *g);

/* What `explain` is asked about: a name of the spec, or one function and who takes it along. */
struct render_subject {
	const struct plan_device *device;   /* NULL: the spec names none */
	const struct host_device *function; /* NULL: asked by name */
	const struct pci_addr *addrs;	    /* what is shown: that one, or all of the device */
	size_t n;
};

/* plan may be NULL. -ENODEV when neither knows it. */
int render_subject_find(const struct plan *plan, const struct host *host, const char *name,
			struct render_subject *ret);
