/* The program `pra`: the employee's command line and, as `pra agent`, the agent. */
#include <stdio.h>

#include "client/cli.h"
#include "client/cli_text.h"
#include "common/i18n.h"
#include "common/os.h"

int main(int argc, char **argv)
{
    int code;

    os_process_harden();
    os_arguments(&argc, &argv);
    i18n_init();
    text_init();
    code = cli_main(argc, argv);
    if (fflush(stdout) != 0 && code == CLI_OK)
        code = CLI_FAILED;
    return code;
}
