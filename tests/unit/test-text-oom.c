/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory runs out at every allocation in turn: -ENOMEM, nothing returned, nothing leaked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "booster-yaml.h"
#include "boot-entries.h"
#include "diff.h"
#include "domain-xml.h"
#include "grub-defaults.h"
#include "kcmdline.h"
#include "mkinitcpio-preset.h"
#include "modprobe.h"
#include "module-list.h"
#include "oom.h"
#include "qm-config.h"
#include "qm-property.h"

/* One call that yields 0 when it has all the memory it asks for; ret is as it was otherwise. */
union result {
	unsigned char bytes[128];
	const char *text;
	struct words words;
	struct kcmdline line;
	struct modprobe modprobe;
	struct boot_lines lines;
	struct boot_line entry;
	struct grub_value value;
	struct mkinitcpio_preset preset;
	struct booster_config booster;
	struct qm_config config;
	struct domain_xml domain;
	struct domain_device device;
	struct qm_mappings mappings;
	struct qm_properties properties;
};

static int parse_line(struct arena *a, union result *ret)
{
	return kcmdline_parse(a, "a=b \"c=d e\" -- f", &ret->line);
}

static int add_to_line(struct arena *a, union result *ret)
{
	return kcmdline_add(a, "a=b", "iommu=pt", &ret->text);
}

static int remove_from_line(struct arena *a, union result *ret)
{
	return kcmdline_remove(a, "a=b iommu=pt c", "iommu=pt", &ret->text);
}

static int read_list(struct arena *a, union result *ret)
{
	return module_list_parse(a, "a-b\nc\n", &ret->words);
}

static int read_list_args(struct arena *a, union result *ret)
{
	return module_list_parse_args(a, "a-b x\nc\n", &ret->words);
}

static int find_alias(struct arena *a, union result *ret)
{
	return module_alias_lookup(a, "alias pci:v* a-b\n", "c.alias=pci:*\n", "pci:v1",
				   &ret->words);
}

static int order_modprobe(struct arena *a, union result *ret)
{
	static const char *paths[] = {"/e/b.conf", "/e/a.conf", "/l/a.conf"};
	static const char *const dirs[] = {"/e", "/l"};

	return modprobe_order(a, &(struct words){paths, 3, 3}, dirs, 2, &ret->words);
}

static int parse_modprobe(struct arena *a, union result *ret)
{
	struct modprobe_source source = {"f", "options a b=c\nbad\nsoftdep d pre: e\n"};

	return modprobe_parse(a, &source, 1, &ret->modprobe);
}

static int parse_grub_cfg(struct arena *a, union result *ret)
{
	return grub_cfg_parse(
		a, "if x; then\nmenuentry 'a b' {\nlinux /boot/vmlinuz-6.1 a 'b c'\n}\nfi\n",
		&ret->lines);
}

static int parse_entry(struct arena *a, union result *ret)
{
	return loader_entry_parse(a, "title x\nlinux /6.1/linux\noptions a\noptions b\n",
				  &ret->entry);
}

/* By every function that allocates. */
static const char shell[] =
	"export A=1 \"B=a b\"\nunset C D\nread E F\nf() { :; }\n: ${G:=h} $((I=1))\n"
	"X=\"${A:-z}$B $(x `y`) $UNKNOWN\" Y=1 Y+=2\ncat <<-E >/dev/null\nE\nfor i in a; do Z=1; "
	"done\n"
	"case a in b) ;; esac\nif x; then V=1; fi\nexport V=c\nW=a W=b true\nV=\"$V d\"\n";

static int read_defaults(struct arena *a, union result *ret)
{
	struct grub_source source = {"f", shell};
	struct grub_error error;

	return grub_defaults_value(a, &source, 1, "V", &ret->value, &error);
}

static int lose_defaults(struct arena *a, union result *ret)
{
	struct grub_source source = {"f", "V=a\nf() { :; }\nf\n$(a\n"};
	struct grub_error error;

	return grub_defaults_value(a, &source, 1, "V", &ret->value, &error);
}

static int add_to_defaults(struct arena *a, union result *ret)
{
	return grub_defaults_add(a, shell, "V", "iommu=pt", &ret->text);
}

static int append_to_defaults(struct arena *a, union result *ret)
{
	return grub_defaults_add(a, "A=1", "V", "iommu=pt", &ret->text);
}

static int remove_from_defaults(struct arena *a, union result *ret)
{
	return grub_defaults_remove(a, "V=a\" b\"\nV=\"$V d\"\n", "V", "b", &ret->text);
}

static int drop_from_defaults(struct arena *a, union result *ret)
{
	return grub_defaults_remove(a, "A=1\nV=\"b\" # added by passthroughd", "V", "b",
				    &ret->text);
}

static int show_diff(struct arena *a _unused_, union result *ret _unused_)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	diff_unified(&out, "x", "a\nb\n", 4, "a\nc\n", 4);
	return out.error;
}

static int read_option(struct arena *a, union result *ret)
{
	struct modprobe_line lines[] = {{"f", 1, "options", "a", "b=c"},
					{"f", 2, "options", "a", "b=d"}};
	struct modprobe m = {.lines = {lines, 2, 2}};
	const char *value = modprobe_option(a, &m, "a", "b", NULL);

	if (!value)
		return -ENOMEM;
	ret->text = value;
	return 0;
}

static int read_booster(struct arena *a, union result *ret)
{
	return booster_config_parse(a, "modules: -a,'b'\nmodules_force_load: 'c'\n", &ret->booster);
}

#define INIT "kernel: '6.1'\nmodprobeoptions:\n    kvm: 'a=1'\n"

static int reduce_init(struct arena *a, union result *ret)
{
	return booster_init_reduce(a, INIT, &ret->text);
}

static int read_init_kernel(struct arena *a, union result *ret)
{
	return booster_init_kernel(a, INIT, &ret->text);
}

static int read_init_options(struct arena *a, union result *ret)
{
	return booster_init_options(a, INIT, &ret->text);
}

static int read_preset(struct arena *a, union result *ret)
{
	return mkinitcpio_preset_parse(a,
				       "PRESETS=('default' more)\ndefault_image=/boot/a\n"
				       "default_options=\"-S autodetect -c /etc/x\"\n",
				       &ret->preset);
}

static int read_guest(struct arena *a, union result *ret)
{
	return qm_config_parse(a, "hostpci0: 01:00\n[PENDING]\ndelete: a,b\n[s-1]\nmachine: q35\n",
			       &ret->config);
}

static int read_mappings(struct arena *a, union result *ret)
{
	return qm_mappings_parse(
		a, "gpu\n\tmap node=a,path=0000:01:00;0000:02:00.0,id=1234:abcd,subsystem-id=1:2\n",
		&ret->mappings);
}

static int read_properties(struct arena *a, union result *ret)
{
	return qm_properties_parse(a, "host", "01:00,pcie=1", &ret->properties);
}

static int change_property(struct arena *a, union result *ret)
{
	struct qm_properties p = {.nameless = "host"};
	const char *text;

	if (qm_property_set(a, &p, "host", "01:00") < 0)
		return -ENOMEM;
	text = qm_properties_print(a, &p);
	if (!text)
		return -ENOMEM;
	ret->text = text;
	return 0;
}

static int read_domain(struct arena *a, union result *ret)
{
	static const char text[] =
		"<domain><name>a</name><os><type machine='q35'/></os><devices>"
		"<hostdev type='pci'><driver model='x'/><source><address bus='1'/></source>"
		"<rom file='/r'/></hostdev></devices></domain>";
	const char *why;

	return domain_xml_parse(a, text, sizeof(text) - 1, &ret->domain, &why);
}

/* Why it is broken is text, too. */
static int read_broken_domain(struct arena *a, union result *ret)
{
	const char *why;
	int err = domain_xml_parse(a, "<domain>", 8, &ret->domain, &why);

	return err == -EBADMSG ? 0 : err;
}

static int read_device(struct arena *a, union result *ret)
{
	return domain_device_parse(a, "managed=no driver=x rom=off rom-file=/r", &ret->device);
}

static int name_module(struct arena *a, union result *ret)
{
	const char *name = module_name_kernel(a, "a-b");

	if (!name)
		return -ENOMEM;
	ret->text = name;
	return 0;
}

struct work {
	int (*call)(struct arena *a, union result *ret);
};

static int attempt(void *arg)
{
	const struct work *work = arg;
	union result untouched, result;
	unsigned left = oom_left;
	struct arena *a;
	int err;

	memset(&untouched, 0x55, sizeof(untouched));
	result = untouched;
	oom_left = 0;
	a = arena_new();
	oom_left = left;
	err = work->call(a, &result);
	if (err < 0)
		assert_memory_equal(&result, &untouched, sizeof(result));
	arena_free(a);
	return err;
}

static void a_result_or_out_of_memory(void **state _unused_)
{
	static const struct work works[] = {
		{parse_line},	      {add_to_line},	    {remove_from_line},
		{read_list},	      {read_list_args},	    {find_alias},
		{order_modprobe},     {parse_modprobe},	    {parse_grub_cfg},
		{parse_entry},	      {read_defaults},	    {lose_defaults},
		{add_to_defaults},    {append_to_defaults}, {remove_from_defaults},
		{drop_from_defaults}, {show_diff},	    {read_option},
		{name_module},	      {read_preset},	    {read_booster},
		{reduce_init},	      {read_init_kernel},   {read_init_options},
		{read_guest},	      {read_mappings},	    {read_properties},
		{change_property},    {read_domain},	    {read_broken_domain},
		{read_device},
	};

	for (size_t i = 0; i < ARRAY_LEN(works); i++) {
		struct work work = works[i];

		assert_true(oom_everywhere(attempt, &work) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_or_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
