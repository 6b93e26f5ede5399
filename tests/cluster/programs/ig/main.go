// Ig stands in for Inspektor Gadget's ig where the kernel or the image is not to be had: it takes
// ig's arguments and plays recorded output, with present times, until its timeout or SIGTERM.
//
// Beyond ig's own flags it knows --rate (events a second of a trace gadget), and then tells at its
// end how many it printed, and --kernel-buffer (how many events may wait to be printed; more are
// lost, which it tells as ig does). It also tells whether it could write to a store of images.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const recordings = "/recordings"

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	command, err := parse(os.Args[1:])
	if err != nil {
		fail(err)
	}
	player, err := open(command, stop)
	if err != nil {
		fail(err)
	}
	player.run()
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "Error: %v\n", err)
	os.Exit(1)
}
