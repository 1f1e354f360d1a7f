/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any /etc/default/grub, any grub.d files around ours, any /etc/kernel/cmdline and running line:
 * what an edit says is in force is in force, editing again changes nothing, and taking back what
 * was added leaves the shared file as it was.
 *
 * Input: a byte of switches, then four texts, each ended by a NUL byte: grub's defaults, the grub.d
 * file before ours, the one after it, /etc/kernel/cmdline; the rest is the running line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "kcmdline.h"
#include "loader.h"
#include "paths.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

enum { DEFAULTS, BEFORE, DROPIN, AFTER, LINE, N_FILES };

static const char *const paths[N_FILES] = {
	[DEFAULTS] = PATH_GRUB_DEFAULTS, [BEFORE] = PATH_GRUB_DIR "/50-x.cfg",
	[DROPIN] = PATH_GRUB_DROPIN,	 [AFTER] = PATH_GRUB_DIR "/99-x.cfg",
	[LINE] = PATH_KERNEL_CMDLINE,
};

static struct host *make_host(uint8_t switches, char *texts[static N_FILES + 1])
{
	struct host *host = host_new();

	check(host);
	host->boot.grub_dir_read = switches & 1;
	host->boot.proxmox = switches & 2;
	host->boot.grub_cfg = "/boot/grub/grub.cfg";
	host->cmdline = texts[N_FILES];
	for (size_t i = 0; i < N_FILES; i++) {
		struct host_file file = {.path = paths[i], .text = "", .mode = 0644};

		if (texts[i] && i != DROPIN && !(switches >> (i + 2) & 1)) {
			file.text = texts[i];
			file.size = strlen(texts[i]);
			file.status = FILE_PRESENT;
		}
		check(array_push(host->arena, &host->files, file) == 0);
	}
	return host;
}

static void words(struct arena *a, struct words *w, const char *one, const char *two)
{
	check(words_add(a, w, one) >= 0 && (!two || words_add(a, w, two) >= 0));
}

/* Makes the host and the ledger what they are after the edit. */
static void carry_out(struct host *host, struct ledger *ledger, const struct loader_edit *edit)
{
	for (size_t i = 0; i < host->files.n; i++) {
		struct host_file *file = &host->files.at[i];
		struct ledger_file *known;
		char digest[DIGEST_TEXT_SIZE];

		if (strcmp(file->path, edit->path) != 0)
			continue;
		known = edit->owned ? NULL : array_add(ledger->arena, &ledger->files);
		if (known) {
			digest_bytes(edit->text ? edit->text : "", edit->size, digest);
			*known = (struct ledger_file){
				.path = edit->path,
				.existed = file->status == FILE_PRESENT,
				.before = file->text,
				.before_size = file->size,
				.after = arena_strdup(ledger->arena, digest),
				.tokens = edit->tokens,
			};
		}
		file->status = edit->text ? FILE_PRESENT : FILE_ABSENT;
		file->text = edit->text ? edit->text : "";
		file->size = edit->size;
	}
}

static void in_force(const struct boot_loader *loader, struct host *host,
		     const struct words *wanted)
{
	struct loader_files f = {0};
	struct kcmdline line;

	check(loader->files(host->arena, host, &f) == 0 && f.known);
	check(kcmdline_parse(host->arena, f.line, &line) == 0);
	for (size_t i = 0; i < wanted->n; i++)
		check(kcmdline_satisfies(&line, wanted->at[i]));
}

static void same_shared(const struct host *host, const struct host *was)
{
	for (size_t i = 0; i < N_FILES; i++) {
		check(host->files.at[i].status == was->files.at[i].status);
		check(strcmp(host->files.at[i].text, was->files.at[i].text) == 0);
	}
}

static void there_and_back(const struct boot_loader *loader, struct host *host,
			   const struct host *was)
{
	struct ledger *ledger = ledger_new();
	struct words wanted = {0}, none = {0};
	struct loader_edits edits = {0}, again = {0}, back = {0};
	const char *conflict = NULL;

	check(ledger);
	words(host->arena, &wanted, "intel_iommu=on", "iommu=pt");
	check(loader->edit(host->arena, host, ledger, &wanted, &none, &edits, &conflict) == 0);
	if (!conflict) {
		for (size_t i = 0; i < edits.list.n; i++)
			carry_out(host, ledger, &edits.list.at[i]);
		in_force(loader, host, &wanted);
		check(loader->edit(host->arena, host, ledger, &wanted, &none, &again, &conflict) ==
		      0);
		check(!conflict && again.list.n == 0);
		check(loader->edit(host->arena, host, ledger, &none, &wanted, &back, &conflict) ==
		      0);
		for (size_t i = 0; i < back.list.n; i++)
			carry_out(host, ledger, &back.list.at[i]);
		same_shared(host, was);
	}
	ledger_free(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy, *texts[N_FILES + 1] = {0}, *at;

	if (size == 0 || size > 64 * 1024)
		return 0;
	copy = calloc(size + 1, 1);
	check(copy);
	memcpy(copy, data + 1, size - 1);
	at = copy;
	for (size_t i = 0; i <= N_FILES; i++) {
		texts[i] = at;
		if (i != DROPIN && at < copy + size - 1)
			at += strlen(at) + 1;
		if (at > copy + size)
			at = copy + size;
	}
	for (size_t i = 0; i < boot_loaders_n; i++) {
		struct host *host = make_host(data[0], texts), *was = make_host(data[0], texts);

		if (boot_loaders[i]->present(host))
			there_and_back(boot_loaders[i], host, was);
		host_free(host);
		host_free(was);
	}
	free(copy);
	return 0;
}
