/*
 * netwatch.h by the IP helper's notices of interfaces, addresses and routes, and by the notice of
 * the system waking up. They come on threads of the system and only wake the loop.
 */
#include "client/netwatch.h"

#include <iphlpapi.h>
#include <netioapi.h>

#include "common/posix_win.h"

/* What powrprof.dll has since Windows 8, and the headers of mingw-w64 10 have not. */
struct power_call {
    ULONG(CALLBACK *call)(void *arg, ULONG type, void *setting);
    void *arg;
};
#define POWER_BY_CALL 2 /* DEVICE_NOTIFY_CALLBACK */

struct netwatch {
    uv_async_t wake;
    uv_timer_t settle;
    HANDLE interfaces, addresses, routes; /* NULL = none */
    HANDLE power;
    struct power_call power_call;
    void (*changed)(void *arg);
    void *arg;
    unsigned handles; /* that are not closed yet */
};

static void WINAPI on_interface(void *arg, MIB_IPINTERFACE_ROW *row, MIB_NOTIFICATION_TYPE type)
{
    (void)row;
    (void)type;
    (void)uv_async_send(&((struct netwatch *)arg)->wake);
}

static void WINAPI on_address(void *arg, MIB_UNICASTIPADDRESS_ROW *row, MIB_NOTIFICATION_TYPE type)
{
    (void)row;
    (void)type;
    (void)uv_async_send(&((struct netwatch *)arg)->wake);
}

static void WINAPI on_route(void *arg, MIB_IPFORWARD_ROW2 *row, MIB_NOTIFICATION_TYPE type)
{
    (void)row;
    (void)type;
    (void)uv_async_send(&((struct netwatch *)arg)->wake);
}

static ULONG CALLBACK on_power(void *arg, ULONG type, void *setting)
{
    (void)setting;
    if (type == PBT_APMRESUMEAUTOMATIC || type == PBT_APMRESUMESUSPEND)
        (void)uv_async_send(&((struct netwatch *)arg)->wake);
    return ERROR_SUCCESS;
}

static FARPROC power_function(const char *name)
{
    HMODULE dll = LoadLibraryExW(L"powrprof.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);

    return dll != NULL ? GetProcAddress(dll, name) : NULL;
}

static void open_power(struct netwatch *w)
{
    FARPROC found = power_function("PowerRegisterSuspendResumeNotification");
    DWORD(WINAPI * subscribe)(DWORD flags, HANDLE recipient, HANDLE * out);

    w->power_call = (struct power_call){.call = on_power, .arg = w};
    memcpy(&subscribe, &found, sizeof(found));
    if (subscribe != NULL && subscribe(POWER_BY_CALL, &w->power_call, &w->power) != ERROR_SUCCESS)
        w->power = NULL;
}

static void close_power(struct netwatch *w)
{
    FARPROC found = power_function("PowerUnregisterSuspendResumeNotification");
    DWORD(WINAPI * unsubscribe)(HANDLE power);

    memcpy(&unsubscribe, &found, sizeof(found));
    if (w->power != NULL && unsubscribe != NULL)
        (void)unsubscribe(w->power);
}

static void on_settled(uv_timer_t *t)
{
    struct netwatch *w = t->data;

    w->changed(w->arg);
}

static void on_wake(uv_async_t *a)
{
    struct netwatch *w = a->data;

    if (!uv_is_active((uv_handle_t *)&w->settle))
        uv_timer_start(&w->settle, on_settled, NETWATCH_SETTLE_MS, 0);
}

struct netwatch *netwatch_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg)
{
    struct netwatch *w = calloc(1, sizeof(*w));

    if (w == NULL || uv_async_init(loop, &w->wake, on_wake) != 0) {
        free(w);
        return NULL;
    }
    w->changed = changed;
    w->arg = arg;
    uv_timer_init(loop, &w->settle);
    w->wake.data = w->settle.data = w;
    w->handles = 2;
    if (NotifyIpInterfaceChange(AF_UNSPEC, on_interface, w, FALSE, &w->interfaces) != NO_ERROR)
        w->interfaces = NULL;
    if (NotifyUnicastIpAddressChange(AF_UNSPEC, on_address, w, FALSE, &w->addresses) != NO_ERROR)
        w->addresses = NULL;
    if (NotifyRouteChange2(AF_UNSPEC, on_route, w, FALSE, &w->routes) != NO_ERROR)
        w->routes = NULL;
    open_power(w);
    return w;
}

static void on_closed(uv_handle_t *h)
{
    struct netwatch *w = h->data;

    if (--w->handles == 0)
        free(w);
}

void netwatch_close(struct netwatch *w)
{
    HANDLE notices[3];

    if (w == NULL)
        return;
    notices[0] = w->interfaces;
    notices[1] = w->addresses;
    notices[2] = w->routes;
    /* Each waits for a notice that is just being given: nothing is sent to `wake` behind this. */
    for (size_t i = 0; i < 3; i++)
        if (notices[i] != NULL)
            (void)CancelMibChangeNotify2(notices[i]);
    close_power(w);
    uv_close((uv_handle_t *)&w->wake, on_closed);
    uv_close((uv_handle_t *)&w->settle, on_closed);
}
