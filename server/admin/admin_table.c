/*
 * The table of operations: names, arguments, functions. server/README.md lists them for people.
 */
#include "server/admin/admin_internal.h"

#include <string.h>

#include "common/profile.h"

#define ID_MAX INT64_MAX
/* clang-format would spread each initialiser over five lines. */
/* clang-format off */
#define TEXT(n, max) {n, ARG_TEXT, false, max}
#define NEED(n, max) {n, ARG_TEXT, true, max}
#define FLAG(n) {n, ARG_BOOL, false, 0}
#define INT(n, max) {n, ARG_INT, false, max}
#define LIST(n, max) {n, ARG_LIST, false, max}
#define NEED_INT(n) {n, ARG_INT, true, ID_MAX}
#define ARGS(...) (const struct arg_spec[]){__VA_ARGS__, {NULL, ARG_TEXT, false, 0}}
#define NO_ARGS (const struct arg_spec[]){{NULL, ARG_TEXT, false, 0}}
/* clang-format on */

/* Names are checked for their form where that matters; here only that they are not absurd. */
#define NAME_ARG   1024
#define TARGET_ARG 1024
#define LINE_ARG   SSHKEY_LINE_MAX
#define TIME_ARG   64

static const struct operation operations[] = {
    {"user.add", OP_CHANGES, op_user_add,
     ARGS(NEED("name", NAME_ARG), TEXT("full-name", POLICY_LABEL_MAX), FLAG("disabled"))},
    {"user.list", OP_READS, op_user_list, NO_ARGS},
    {"user.enable", OP_CHANGES, op_user_enable, ARGS(NEED("name", NAME_ARG))},
    {"user.disable", OP_CHANGES, op_user_disable, ARGS(NEED("name", NAME_ARG))},
    {"user.delete", OP_CHANGES, op_user_delete, ARGS(NEED("name", NAME_ARG))},

    {"group.add", OP_CHANGES, op_group_add, ARGS(NEED("name", NAME_ARG))},
    {"group.list", OP_READS, op_group_list, NO_ARGS},
    {"group.delete", OP_CHANGES, op_group_delete, ARGS(NEED("name", NAME_ARG))},
    {"group.member.add", OP_CHANGES, op_member_add,
     ARGS(NEED("group", NAME_ARG), NEED("user", NAME_ARG))},
    {"group.member.remove", OP_CHANGES, op_member_remove,
     ARGS(NEED("group", NAME_ARG), NEED("user", NAME_ARG))},

    {"key.add", OP_CHANGES, op_key_add,
     ARGS(NEED("user", NAME_ARG), NEED("line", LINE_ARG), FLAG("any-client"), FLAG("reactivate"))},
    {"key.list", OP_READS, op_key_list, ARGS(TEXT("user", NAME_ARG))},
    {"key.revoke", OP_CHANGES, op_key_revoke,
     ARGS(NEED("fingerprint", NAME_ARG), TEXT("user", NAME_ARG))},

    {"rule.add", OP_CHANGES, op_rule_add,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG), NEED("name", NAME_ARG),
          NEED("target", TARGET_ARG), TEXT("local", TARGET_ARG), TEXT("fallback", TARGET_ARG),
          INT("position", ID_MAX), TEXT("action", 16), TEXT("from", TARGET_ARG),
          TEXT("hours", STORE_HOURS_MAX), TEXT("expires", TIME_ARG), FLAG("log"))},
    {"rule.list", OP_READS, op_rule_list,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG), FLAG("effective"))},
    {"rule.move", OP_CHANGES, op_rule_move, ARGS(NEED_INT("id"), NEED_INT("position"))},
    {"rule.delete", OP_CHANGES, op_rule_delete, ARGS(NEED_INT("id"))},

    {"session.list", OP_READS, op_session_list, NO_ARGS},
    {"session.kill", OP_ACTS, op_session_kill, ARGS(NEED("id", 64), TEXT("reason", 128))},
    {"hostkey.show", OP_READS, op_hostkey_show, NO_ARGS},
    {"profile", OP_READS, op_profile,
     ARGS(NEED("user", NAME_ARG), NEED("server", TARGET_ARG), TEXT("name", PROFILE_NAME_MAX))},
    {"audit.list", OP_READS, op_audit_list,
     ARGS(TEXT("since", TIME_ARG), TEXT("until", TIME_ARG), TEXT("user", NAME_ARG),
          TEXT("kind", TIME_ARG), INT("limit", ID_MAX), INT("after", ID_MAX))},
    {"explain", OP_READS, op_explain,
     ARGS(NEED("user", NAME_ARG), NEED("target", TARGET_ARG), TEXT("from", TARGET_ARG),
          TEXT("at", TIME_ARG), LIST("addresses", ADMIN_ADDRESSES_MAX))},
    {"status", OP_READS, op_status, NO_ARGS},
    {"init", OP_CHANGES, op_init, NO_ARGS},
};

const struct operation *admin_operation(const char *name)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    }
    return NULL;
}
