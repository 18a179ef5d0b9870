/*
 * One request on the agent's pipe and its answer on standard output, for tests: what a socket is to
 * Python on Linux. agent_call.exe JSON; the agent is the one of PRA_HOME. Exit 3: there is none.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "client/ipc.h"
#include "common/os.h"

#define TIMEOUT_MS 5000

int main(int argc, char **argv)
{
    struct fault f = {0};
    struct paths paths;
    struct ipc *ipc = NULL;
    json_t *request = NULL, *reply = NULL;
    char *text;
    int rc = 1;

    os_arguments(&argc, &argv);
    if (argc == 2)
        request = json_loads(argv[1], 0, NULL);
    if (request == NULL || paths_init(&paths, &f) != 0 || ipc_connect(&paths, &ipc, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        json_decref(request);
        return 3;
    }
    if (ipc_call(ipc, request, TIMEOUT_MS, &reply, &f) == 0) {
        text = json_dumps(reply, JSON_COMPACT);
        printf("%s\n", text);
        free(text);
        json_decref(reply);
        rc = 0;
    } else {
        fprintf(stderr, "%s\n", f.text);
    }
    ipc_close(ipc);
    json_decref(request);
    return rc;
}
