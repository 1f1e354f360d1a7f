/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving a function to its driver and back, in the order of fact 7.6. No answer of the kernel's is
 * believed (7.8): the driver link is read again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"
#include "paths.h"

#define ATTR_MAX      4096
#define HOLDERS_SHOWN 4

struct function { /* one device in sysfs */
	struct doing *d;
	const struct step *step;
	const char *dir;      /* its folder */
	const char *driver;   /* it is bound to, NULL: none */
	const char *override; /* NULL: none */
};

static const char *at(const struct function *f, const char *name)
{
	return arena_printf(f->d->arena, "%s/%s", f->dir, name);
}

/* The first line of an attribute. */
static int read_attr(const struct function *f, const char *name, const char **ret)
{
	const char *path = at(f, name), *text, *line;
	size_t size;
	int err = path ? f->d->ops->read(f->d->ops->ctx, path, ATTR_MAX, f->d->arena, &text, &size,
					 NULL)
		       : -ENOMEM;

	if (err < 0)
		return err;
	line = arena_strndup(f->d->arena, text, strcspn(text, "\n"));
	if (!line)
		return -ENOMEM;
	*ret = line;
	return 0;
}

static int read_number(const struct function *f, const char *name, uint32_t *ret)
{
	const char *text;
	unsigned long value;
	char *end;
	int err = read_attr(f, name, &text);

	if (err < 0)
		return err;
	errno = 0;
	value = strtoul(text, &end, 16);
	if (errno || end == text || *end || value > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}

static int read_id(const struct function *f, struct pci_id *ret)
{
	struct pci_id id = {.subvendor = PCI_ANY, .subdevice = PCI_ANY};
	int err = read_number(f, "vendor", &id.vendor);

	if (err == 0)
		err = read_number(f, "device", &id.device);
	if (err < 0)
		return err;
	/* A bridge has none, and so may a captured host. */
	if (read_number(f, "subsystem_vendor", &id.subvendor) < 0 ||
	    read_number(f, "subsystem_device", &id.subdevice) < 0)
		id.subvendor = id.subdevice = PCI_ANY;
	*ret = id;
	return 0;
}

static int read_driver(struct function *f)
{
	const char *path = at(f, "driver"), *link;
	int err = path ? f->d->ops->readlink(f->d->ops->ctx, path, f->d->arena, &link) : -ENOMEM;

	f->driver = NULL;
	if (err == 0)
		f->driver = base_name(link);
	return err == -ENOENT ? 0 : err;
}

/* One that has no driver may be on its way out of one, and reading would wait for that. */
static int read_override(struct function *f)
{
	int err = f->driver ? read_attr(f, "driver_override", &f->override) : 0;

	if (f->override && (!*f->override || strcmp(f->override, "(null)") == 0))
		f->override = NULL; /* 7.7 */
	return err;
}

static bool on(const struct function *f, const char *driver)
{
	return f->driver && strcmp(f->driver, driver) == 0;
}

static const char *driver_words(const struct function *f)
{
	return f->driver ? arena_printf(f->d->arena, "driver %s", f->driver) : "no driver";
}

/* --- writes ----------------------------------------------------------------------------------- */

static int write_attr(const struct function *f, const char *path, const char *value)
{
	return path ? f->d->ops->write_attr(f->d->ops->ctx, path, value) : -ENOMEM;
}

static int set_override(const struct function *f, const char *driver)
{
	return write_attr(f, at(f, "driver_override"), driver ? driver : "\n");
}

static int unbind(const struct function *f)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	int err;

	if (!f->driver)
		return 0;
	err = write_attr(f, at(f, "driver/unbind"), pci_addr_format(f->step->addr, addr));
	/* It went by itself in the meantime. */
	return err == -ENODEV || err == -ENOENT ? 0 : err;
}

static int probe(const struct function *f)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	return write_attr(f, PATH_PCI_PROBE, pci_addr_format(f->step->addr, addr));
}

/* --- before anything is written -------------------------------------------------------------- */

/* "qemu (1234): /dev/vfio/14, nvtop (99): /dev/dri/card1"; NULL: nobody who could be seen. */
static const char *holders(const struct function *f)
{
	struct words found = {0};
	const char *text = NULL;

	if (f->d->ops->holders(f->d->ops->ctx, f->step->addr, f->d->arena, &found) < 0)
		return NULL;
	for (size_t i = 0; i < found.n && i < HOLDERS_SHOWN; i++)
		text = text ? arena_printf(f->d->arena, "%s, %s", text, found.at[i]) : found.at[i];
	if (text && found.n > HOLDERS_SHOWN)
		text = arena_printf(f->d->arena, "%s and %zu more", text, found.n - HOLDERS_SHOWN);
	return text;
}

/* A write may go on in the kernel for as long as somebody has the device open (7.11). */
static int fail_held(const struct function *f, struct report_step *out, const char *what)
{
	const char *who = holders(f);

	return step_fail(f->d, out, -ETIMEDOUT, CODE_IN_USE,
			 "%s: %s%s%s; it is done once that lets go", f->step->target, what,
			 who ? "; held by " : ": something uses the device", who ? who : "");
}

static int fail_attr(const struct function *f, struct report_step *out, int error, const char *what)
{
	if (error == -ETIMEDOUT)
		return fail_held(f, out,
				 arena_printf(f->d->arena, "%s does not come to an end", what));
	return step_fail(f->d, out, error, CODE_NO_EFFECT, "%s: %s failed: %s", f->step->target,
			 what, strerror(-error));
}

#define LEAVING "an earlier unbind has not come to an end"

/*
 * The driver link goes before the driver does: one of ours that has none, while somebody has it
 * open, was unbound by an earlier apply whose write still hangs. Each further one would hang too.
 */
static bool still_leaving(const struct function *f, bool ours)
{
	return ours && !f->driver && holders(f);
}

static int open_function(struct function *f, struct doing *d, const struct step *step)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	*f = (struct function){.d = d, .step = step};
	f->dir = arena_printf(d->arena, PATH_PCI_DEVICES "/%s", pci_addr_format(step->addr, addr));
	return f->dir ? 0 : -ENOMEM;
}

/* Addresses move when a card is added (7.19): the ids must still be those of the plan. */
static int check_id(struct function *f, struct report_step *out)
{
	char have[PCI_ID_TEXT_SIZE], want[PCI_ID_TEXT_SIZE];
	struct pci_id id;
	int err = read_id(f, &id);

	if (err == -ENOENT)
		return step_fail(f->d, out, err, CODE_NO_SUCH_DEVICE, "%s is no longer there",
				 f->step->target);
	if (err < 0)
		return fail_attr(f, out, err, "reading its ids");
	if (!pci_id_match(&f->step->id, &id))
		return step_fail(f->d, out, -ENODEV, CODE_IDENTITY_MISMATCH,
				 "%s is %s now, and the plan was made for %s; plan again",
				 f->step->target, pci_id_format(&id, have),
				 pci_id_format(&f->step->id, want));
	err = read_driver(f);
	return err < 0 ? fail_attr(f, out, err, "reading its driver") : 0;
}

static bool driver_present(const struct function *f)
{
	const char *path = arena_printf(f->d->arena, PATH_PCI_DRIVERS "/%s", f->step->driver);
	const char *word;

	return path && f->d->ops->identity(f->d->ops->ctx, path, f->d->arena, &word) == 0;
}

/* Before the device loses its own driver: a failed load then leaves it where it is (7.6). */
static int need_driver(struct function *f, struct report_step *out)
{
	const char *driver = f->step->driver;
	char *module;
	int err;

	if (driver_present(f))
		return 0;
	module = arena_strdup(f->d->arena, driver);
	if (!module)
		return -ENOMEM;
	for (char *c = module; (c = strchr(c, '-'));)
		*c = '_';
	err = f->d->ops->load_module(f->d->ops->ctx, module);
	if (err == 0 && !driver_present(f))
		err = -ENODEV;
	if (err < 0)
		return step_fail(f->d, out, err, CODE_NO_EFFECT,
				 "%s stays on %s: %s could not be loaded: %s", f->step->target,
				 driver_words(f), driver, strerror(-err));
	/* Loading may have bound it: an override can be there already (7.9). */
	err = read_driver(f);
	return err < 0 ? fail_attr(f, out, err, "reading its driver") : 0;
}

/* --- bind ------------------------------------------------------------------------------------- */

static int note_bound(struct function *f, bool bound, const char *previous)
{
	const struct ledger_device *claim = plan_claim(f->d->plan, f->step->addr);
	struct ledger_device *l = edit_device(f->d->ledger, f->step->addr);

	if (!l)
		return -ENOMEM;
	if (claim)
		*l = *claim;
	l->name = f->step->device ? f->step->device : "";
	l->id = f->step->id;
	l->driver = f->step->driver;
	l->bound = bound;
	l->previous = previous ? previous : "";
	return save_ledger(f->d);
}

/* Back to where it was. What fails here cannot be helped: the message tells where it is now. */
static void put_back(struct function *f, const char *override)
{
	set_override(f, override);
	if (read_driver(f) == 0 && !f->driver)
		probe(f);
	read_driver(f);
}

static int take(struct function *f, struct report_step *out)
{
	const char *was = f->override;
	int err = set_override(f, f->step->driver);

	if (err < 0)
		return fail_attr(f, out, err, "writing driver_override");
	err = unbind(f);
	/* It is on its way, and goes on when it can: to ask it to turn round would hang as well. */
	if (err == -ETIMEDOUT)
		return fail_attr(f, out, err,
				 arena_printf(f->d->arena, "unbinding it from %s", f->driver));
	if (err == 0)
		err = probe(f);
	if (err == -ETIMEDOUT)
		return fail_attr(f, out, err,
				 arena_printf(f->d->arena, "giving it to %s", f->step->driver));
	read_driver(f);
	if (on(f, f->step->driver))
		return 0;
	put_back(f, was);
	return step_fail(f->d, out, err < 0 ? err : -ENODEV, CODE_NO_EFFECT,
			 "%s was offered to %s and not taken%s%s: it shows %s; the kernel's log "
			 "says why",
			 f->step->target, f->step->driver, err < 0 ? ": " : "",
			 err < 0 ? strerror(-err) : "", driver_words(f));
}

int act_bind(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	const struct ledger_device *known = ledger_device(d->ledger, step->addr);
	bool ours = known && known->bound;
	const char *previous;
	struct function f;
	int err = open_function(&f, d, step);

	if (err == 0)
		err = check_id(&f, out);
	if (err < 0 || on(&f, step->driver))
		return err;
	previous = f.driver ? f.driver : ours ? known->previous : "";
	err = still_leaving(&f, ours) ? fail_held(&f, out, LEAVING) : 0;
	if (err < 0)
		return err;
	err = note_bound(&f, true, previous);
	if (err < 0)
		return step_fail(d, out, err, file_code(err), "the ledger could not be saved: %s",
				 strerror(-err));
	err = need_driver(&f, out);
	if (err == 0 && !on(&f, step->driver)) {
		err = read_override(&f);
		err = err < 0 ? fail_attr(&f, out, err, "reading driver_override") : take(&f, out);
	}
	/* What hangs is ours half way: recover.c and a return have to know. */
	if (err < 0 && err != -ETIMEDOUT)
		note_bound(&f, ours, previous);
	return err;
}

/* --- return ----------------------------------------------------------------------------------- */

static int give_back(struct function *f, struct report_step *out)
{
	const char *held = f->driver;
	int err = 0;

	if (still_leaving(f, true))
		return fail_held(f, out, LEAVING);
	if (read_override(f) == 0 && (f->override || !f->driver))
		err = set_override(f, NULL);
	if (err < 0)
		return fail_attr(f, out, err, "clearing driver_override");
	err = unbind(f);
	if (err < 0)
		return fail_attr(f, out, err,
				 arena_printf(f->d->arena, "unbinding it from %s", f->driver));
	err = probe(f);
	if (err < 0) /* it must not stay between two drivers for one odd answer */
		err = probe(f);
	read_driver(f);
	if (err < 0 && !f->driver)
		return fail_attr(f, out, err, "probing for its own driver");
	if (held && on(f, held))
		return step_fail(f->d, out, -EBUSY, CODE_NO_EFFECT,
				 "%s was unbound from %s, and is on it again", f->step->target,
				 held);
	if (!f->driver)
		out->message =
			arena_printf(f->d->arena,
				     "%s has no driver now: its own is not loaded, and comes "
				     "with the next boot",
				     f->step->target);
	return 0;
}

int act_return(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	const struct ledger_device *known = ledger_device(d->ledger, step->addr);
	struct function f;
	int err = open_function(&f, d, step);

	if (err == 0)
		err = check_id(&f, out);
	if (err < 0)
		return err;
	/* On another driver: somebody has bound it there since, and it is theirs. */
	if ((!*step->driver || !f.driver || on(&f, step->driver)) && known && known->bound)
		err = give_back(&f, out);
	if (err == 0)
		forget_device(d->ledger, step->addr);
	return err;
}
