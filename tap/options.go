package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const usage = `igpipe-tap runs ig and writes what it prints as frames (docs/tap-format.md).

  igpipe-tap [flags] -- ig run …
  igpipe-tap install DIRECTORY     copies this program, and the gadget images that its own image
                                   carries, there, for other containers to mount
  igpipe-tap version

`

// options are what the command line says.
type options struct {
	window    time.Duration
	deadline  time.Duration
	heartbeat time.Duration
	limits    limits
	without   []string
	store     string
	command   []string
}

// parse reads the arguments; errors are for a person.
func parse(args []string, out io.Writer) (options, error) {
	o := options{limits: limits{frame: 256 << 10, line: 16 << 20, buffer: 8 << 20}}
	flags := flag.NewFlagSet("igpipe-tap", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	flags.DurationVar(&o.window, "window", 50*time.Millisecond, "how long lines are collected")
	flags.DurationVar(&o.deadline, "deadline", 0, "when ig is ended, however it hangs; 0: never")
	flags.DurationVar(&o.heartbeat, "heartbeat", time.Second, "how long the tap is silent at most")
	flags.Func("max-frame", "`size` of a frame's lines (256KiB)", size(&o.limits.frame))
	flags.Func("max-line", "`size` of the longest line; longer ones are dropped (16MiB)", size(&o.limits.line))
	flags.Func("buffer", "`size` of what may wait for a slow reader; more is dropped (8MiB)", size(&o.limits.buffer))
	flags.StringVar(&o.store, "store", "", "give ig the gadget images of this `directory`")
	flags.Func("without", "leave out events of these `namespaces`, separated by commas", func(text string) error {
		for name := range strings.SplitSeq(text, ",") {
			if name == "" || strings.ContainsAny(name, `"\`) {
				return fmt.Errorf("expected names of namespaces, got %q", text)
			}
			o.without = append(o.without, name)
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.command = flags.Args()
	return o, o.check(args)
}

func (o *options) check(args []string) error {
	before := len(args) - len(o.command) - 1
	switch {
	case len(o.command) == 0 || before < 0 || args[before] != "--":
		return errors.New("expected -- and a command to run")
	case o.window < time.Millisecond || o.window > time.Minute:
		return fmt.Errorf("-window: expected 1ms to 1m, got %v", o.window)
	case o.heartbeat < 10*time.Millisecond:
		return fmt.Errorf("-heartbeat: expected at least 10ms, got %v", o.heartbeat)
	case o.deadline < 0:
		return fmt.Errorf("-deadline: expected a duration that is not negative, got %v", o.deadline)
	case o.limits.line > 1<<30 || o.limits.frame > 1<<30:
		return errors.New("-max-line, -max-frame: expected at most 1GiB")
	}
	return nil
}

// size reads 65536, 256KiB, 8MiB.
func size(to *int) func(string) error {
	return func(text string) error {
		digits, shift := text, 0
		for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
			if cut, found := strings.CutSuffix(text, unit); found {
				digits, shift = cut, bits
			}
		}
		n, err := strconv.ParseUint(digits, 10, 31-shift)
		if err != nil || n == 0 {
			return fmt.Errorf("expected a size such as 256KiB, got %q", text)
		}
		*to = int(n) << shift
		return nil
	}
}
