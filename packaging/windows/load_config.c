/*
 * What Windows reads of a program before it loads its DLLs. dependent_load_flags says: those of the
 * system's folder alone, also those that are linked. Else a dbghelp.dll that lies beside a pra.exe in
 * somebody's Downloads would be taken for Windows' own. load_config.py finds this by its section.
 */
#include <stddef.h>
#include <stdint.h>

#include <winsock2.h>
#include <windows.h>

/* IMAGE_LOAD_CONFIG_DIRECTORY64 as far as every 64-bit Windows knows it; mingw's headers of Debian 12 and 13
   name its members differently. */
struct load_config {
    uint32_t size, time_stamp;
    uint16_t major, minor;
    uint32_t global_flags_clear, global_flags_set, critical_section_timeout;
    uint64_t decommit_block, decommit_total, lock_prefixes, max_allocation, virtual_memory,
        affinity;
    uint32_t heap_flags;
    uint16_t csd_version, dependent_load_flags;
    uint64_t edit_list;
    uintptr_t *security_cookie;
    uint64_t handler_table, handler_count;
};

_Static_assert(offsetof(struct load_config, dependent_load_flags) == 0x4e, "as Windows reads it");
_Static_assert(sizeof(struct load_config) == 0x70, "as Windows reads it");

/* Windows puts chance in the place of this value, and does not start a program that has another one. */
static uintptr_t cookie = 0x00002B992DDFA232;

__attribute__((section(".ldcfg"), used)) static const struct load_config load_config = {
    .size = sizeof(load_config),
    .dependent_load_flags = LOAD_LIBRARY_SEARCH_SYSTEM32,
    .security_cookie = &cookie,
};
