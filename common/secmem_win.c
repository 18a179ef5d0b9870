/* secmem_internal.h by VirtualAlloc(). */
#include "common/secmem_internal.h"

#include "common/posix_win.h"

size_t secmem_page_size(void)
{
    SYSTEM_INFO info;

    GetSystemInfo(&info);
    return info.dwPageSize;
}

void *secmem_reserve(size_t len)
{
    return VirtualAlloc(NULL, len, MEM_RESERVE, PAGE_NOACCESS);
}

bool secmem_commit(void *p, size_t len, int *lock_error)
{
    /* cppcheck-suppress leakReturnValNotUsed ; it is `p` */
    if (VirtualAlloc(p, len, MEM_COMMIT, PAGE_READWRITE) == NULL)
        return false;
    if (!VirtualLock(p, len))
        *lock_error = win_errno(GetLastError());
    return true;
}

void secmem_release(void *all, size_t len)
{
    (void)len;
    (void)VirtualFree(all, 0, MEM_RELEASE);
}
