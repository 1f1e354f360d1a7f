/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hypervisor.h"

#include "rows.h"

const struct hypervisor_row *const hypervisor_rows[] = {&hypervisor_proxmox, &hypervisor_libvirt};
const size_t hypervisor_rows_n = ARRAY_LEN(hypervisor_rows);

const struct hypervisor_row *hypervisor_row(enum hypervisor hypervisor)
{
	for (size_t i = 0; i < hypervisor_rows_n; i++)
		if (hypervisor_rows[i]->hypervisor == hypervisor)
			return hypervisor_rows[i];
	return NULL;
}
