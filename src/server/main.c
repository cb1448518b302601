/* SPDX-License-Identifier: Apache-2.0 */
/* cairn - the server, and the command line that talks to it. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "server/serve.h"

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0) {
        mem_give_back_early();
        return serve(argc - 2, argv + 2, environ);
    }
    return cli_main(argc, argv);
}
