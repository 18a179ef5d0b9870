/* What the NSIS installer calls through its System plug-in: the same, with plain arguments. */
#include "packaging/windows/setup/setup.h"

#define ENTRY __declspec(dllexport) int __stdcall

ENTRY pra_find_older(const wchar_t *own, wchar_t *name);
ENTRY pra_close_clients(const wchar_t *folder);
ENTRY pra_prepare_data(void);
ENTRY pra_prepare_folder(const wchar_t *folder);
ENTRY pra_purge(void);
ENTRY pra_option(const wchar_t *name, wchar_t *out);
ENTRY pra_path(const wchar_t *folder, int wanted);
ENTRY pra_server_valid(const wchar_t *text);
ENTRY pra_fingerprint_valid(const wchar_t *text);

/* Where something is written to there is NSIS's room for a string: 1,024 characters. */
_Static_assert(SETUP_TEXT_MAX <= 1024, "NSIS has no room for this");

ENTRY pra_find_older(const wchar_t *own, wchar_t *name)
{
    return setup_find_older(own, name);
}

ENTRY pra_close_clients(const wchar_t *folder)
{
    return setup_close_clients(folder);
}

ENTRY pra_prepare_data(void)
{
    return (int)setup_prepare_data();
}

ENTRY pra_prepare_folder(const wchar_t *folder)
{
    return setup_folder_fits(folder) ? (int)setup_prepare_folder(folder, false)
                                     : ERROR_BAD_PATHNAME;
}

ENTRY pra_purge(void)
{
    return setup_purge();
}

ENTRY pra_option(const wchar_t *name, wchar_t *out)
{
    return setup_option(name, out);
}

ENTRY pra_path(const wchar_t *folder, int wanted)
{
    return (int)setup_path(folder, wanted != 0);
}

ENTRY pra_server_valid(const wchar_t *text)
{
    return setup_server_valid(text);
}

ENTRY pra_fingerprint_valid(const wchar_t *text)
{
    return setup_fingerprint_valid(text);
}
