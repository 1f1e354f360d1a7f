/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of uses: a small machine with disks and network cards, and its uses as text. */
#pragma once

#include "observe-text.h"

#define PCI_LINK(addr) addr " -> ../../../devices/pci0000:00/" addr "\n"
#define FUNCTION(addr) "[/sys/devices/pci0000:00/" addr "]\nvendor = 0x8086\ndevice = 0x1\n"

static const struct observe_options plain = {0};

/* Two disks and two network cards, each a function of its own. */
#define MACHINE                                                                                    \
	"[/sys/bus/pci/devices]\n" PCI_LINK("0000:00:01.0") PCI_LINK("0000:00:02.0")               \
		PCI_LINK("0000:00:03.0") PCI_LINK("0000:00:04.0") FUNCTION("0000:00:01.0")         \
			FUNCTION("0000:00:02.0") FUNCTION("0000:00:03.0") FUNCTION("0000:00:04.0")

/* All uses of all functions, "bus.fn kind: what" a line, in the host's order. */
static inline const char *uses_of(struct host *host)
{
	struct strbuf text = {0};
	const char *all;

	array_foreach(d, &host->devices) {
		array_foreach(it, &d->uses)
			strbuf_addf(&text, "%x %s: %s\n", d->addr.dev, use_kind_name(it->kind),
				    it->what);
	}
	assert_int_equal(strbuf_to_arena(&text, host->arena, &all), 0);
	strbuf_done(&text);
	return all;
}

static inline void assert_uses(const char *body, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	strbuf_addf(&text, "%s%s", MACHINE, body);
	_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &plain);

	assert_string_equal(uses_of(host), expected);
}

#define NIC(name, addr)                                                                            \
	"[/sys/class/net]\n" name " -> ../../devices/pci0000:00/" addr "/net/" name "\n"           \
	"[/sys/devices/pci0000:00/" addr "/net/" name "]\nflags = 0x1003\n"
#define SOFT(name)                                                                                 \
	"[/sys/class/net]\n" name " -> ../../devices/virtual/net/" name "\n"                       \
	"[/sys/devices/virtual/net/" name "]\nflags = 0x1003\n"
#define ROUTES                                                                                     \
	"[/proc]\nnet/route <<\n\tIface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
