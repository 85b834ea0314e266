#include "pep381d/app/commands.h"
#include "pep381d/app/config.h"

int main(int argc, char** argv) {
    const pep381d::CommandLine line = pep381d::read_command_line(argc, argv);
    return pep381d::run_command(line, argc, argv);
}
