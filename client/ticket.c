/* This device's tickets; see ticket.h. */
#include "client/ticket.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/crypto.h"
#include "common/os.h"

static bool is_ticket(const char *text)
{
    return text != NULL && strlen(text) == TICKET_HEX &&
           strspn(text, "0123456789abcdef") == TICKET_HEX;
}

static bool has(const json_t *entry, const char *member, const char *value)
{
    const char *text = json_string_value(json_object_get(entry, member));

    return text != NULL && strcmp(text, value) == 0;
}

/* The array of tickets, a new reference; empty if there is no file. */
static int read_file(const char *path, json_t **out, struct fault *f)
{
    char *text = NULL;
    size_t len = 0;
    json_t *file, *list;
    int rc = os_file_read(path, TICKETS_FILE, &text, &len, f);

    if (rc == PRA_ENOENT) {
        *out = json_array();
        return *out != NULL ? 0 : PRA_ENOMEM;
    }
    if (rc != 0)
        return rc == PRA_ETOOBIG ? PRA_ECORRUPT : rc;
    file = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    crypto_wipe(text, len);
    free(text);
    list = json_incref(json_object_get(file, "tickets"));
    json_decref(file);
    if (!json_is_array(list)) {
        json_decref(list);
        return fault_set(f, PRA_ECORRUPT, "%s: is not a file of tickets", path);
    }
    *out = list;
    return 0;
}

/* By the gateway's host key, else by its address. Borrowed; NULL: there is none. */
static json_t *find(const json_t *list, const struct ticket_owner *who, size_t *at)
{
    json_t *entry, *found = NULL;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        if (!has(entry, "key", who->key) || !has(entry, "user", who->user))
            continue;
        if (has(entry, "gateway", who->gateway)) {
            *at = i;
            return entry;
        }
        if (found == NULL && has(entry, "server", who->server)) {
            *at = i;
            found = entry;
        }
    }
    return found;
}

int ticket_load(const char *path, const struct ticket_owner *who, char ticket[TICKET_HEX + 1],
                struct fault *f)
{
    json_t *list = NULL;
    size_t at;
    int rc = read_file(path, &list, f);

    if (rc == 0) {
        const char *text = json_string_value(json_object_get(find(list, who, &at), "ticket"));

        rc = is_ticket(text) ? 0 : PRA_ENOENT;
        if (rc == 0)
            memcpy(ticket, text, TICKET_HEX + 1);
    }
    json_decref(list);
    return rc;
}

static void drop_others(json_t *list, const struct ticket_owner *who)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (!has(json_array_get(list, i), "key", who->key))
            json_array_remove(list, i);
    while (json_array_size(list) >= TICKETS_MAX)
        json_array_remove(list, 0);
}

static int write_file(const char *path, json_t *list, struct fault *f)
{
    json_t *file = json_pack("{s:O}", "tickets", list);
    char *text = file != NULL ? json_dumps(file, JSON_INDENT(1)) : NULL;
    int rc = PRA_ENOMEM;

    if (text != NULL) {
        rc = os_file_replace(path, text, strlen(text), 0600, f);
        crypto_wipe(text, strlen(text));
    }
    free(text);
    json_decref(file);
    return rc;
}

int ticket_store(const char *path, const struct ticket_owner *who, const char *before,
                 const char *ticket, struct fault *f)
{
    json_t *list = NULL, *entry;
    size_t at = 0;
    int rc;

    if (!is_ticket(ticket))
        return fault_set(f, PRA_EINVAL, "what the gateway sent is no ticket");
    rc = read_file(path, &list, f);
    if (rc == PRA_ECORRUPT) { /* of no use to anybody: begun anew */
        list = json_array();
        rc = list != NULL ? 0 : PRA_ENOMEM;
    }
    if (rc != 0)
        return rc;
    entry = find(list, who, &at);
    if (!has(entry, "ticket", before) && (entry != NULL || before[0] != '\0')) {
        json_decref(list);
        return fault_set(f, PRA_EEXIST, "%s: another program has changed it", path);
    }
    if (entry != NULL)
        json_array_remove(list, at); /* the newest is the last */
    drop_others(list, who);
    if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "gateway", who->gateway,
                                              "server", who->server, "user", who->user, "key",
                                              who->key, "ticket", ticket)) != 0)
        rc = PRA_ENOMEM;
    if (rc == 0)
        rc = write_file(path, list, f);
    json_decref(list);
    return rc;
}
