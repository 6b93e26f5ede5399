// Igpipe-tap runs ig on a node, collects what it prints and writes it as frames: many lines as one
// numbered, checksummed, compressed line of the container's log.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

var version = "dev" // set by the build

// The main goroutine stays on the main thread: ig's parent-death signal is tied to it.
func init() { runtime.LockOSThread() }

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "version" {
		fmt.Println(version)
		return
	}
	if len(args) > 0 && args[0] == "install" {
		exit(install(args[1:], carried))
	}
	o, err := parse(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		exit(err)
	}
	// Two readers and a writer that take turns: more at once would only wake each other.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(25)
	debug.SetMemoryLimit(int64(o.limits.buffer) + 6<<20)
	os.Exit(run(o, os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "igpipe-tap: %v\n", err)
		os.Exit(2)
	}
	os.Exit(0)
}

// run runs ig to its end and returns the exit code.
func run(o options, log io.Writer) int {
	clock := newClock()
	out := newWriter()
	ig, err := start(o)
	if _, err := log.Write(out.frame(hello, about(o, ig.holds), 0, 0, clock.now())); err != nil {
		return 1
	}
	if err != nil {
		how := ending{Reason: "start", ExitCode: 127, Message: err.Error()}
		_, _ = log.Write(out.frame(end, report(how, cost{}), 0, 0, clock.now()))
		return how.ExitCode
	}
	lines := newCollector(o.limits, o.window, clock, newFilter(o.without))
	lines.warns = len(o.command) > 1 && o.command[1] != "run"
	readers := ig.read(lines)
	written := make(chan error, 1)
	go func() {
		err := write(lines, out, log, o.heartbeat)
		if err != nil {
			// Nobody reads any more: watching on would be for nothing.
			_ = ig.process.Process.Kill()
		}
		written <- err
	}()
	how := ig.wait(o.deadline)
	// Something that ig left behind may hold its pipes for ever.
	stop := time.AfterFunc(afterwards, func() { ig.over.Store(true) })
	readers.Wait()
	stop.Stop()
	lines.finish()
	if err := <-written; err != nil {
		return 1
	}
	_, _ = log.Write(out.frame(end, report(how, ig.cost()), 0, 0, lines.clock.now()))
	return how.ExitCode
}

// write writes frames until all lines are taken.
func write(lines *collector, out *writer, log io.Writer, silence time.Duration) error {
	for {
		s, drops, more := lines.take(time.Now().Add(silence))
		out.sums.dropped, out.sums.droppedBytes = drops.dropped, drops.droppedBytes
		out.sums.filtered = drops.filtered
		if !more {
			return nil
		}
		if _, err := log.Write(out.frame(s.kind, s.data, s.lines, s.lost, s.at)); err != nil {
			return err
		}
		lines.release(s)
	}
}

func about(o options, pipe int) []byte {
	bootID, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	told, _ := json.Marshal(map[string]any{
		"version":      version,
		"boot_id":      string(bytes.TrimSpace(bootID)),
		"kernel":       kernel(),
		"command":      o.command,
		"window_ns":    o.window,
		"heartbeat_ns": o.heartbeat,
		"deadline_ns":  o.deadline,
		"max_frame":    o.limits.frame,
		"max_line":     o.limits.line,
		"buffer":       o.limits.buffer,
		"pipe":         pipe,
		"without":      o.without,
	})
	return told
}

func kernel() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return string(bytes.TrimSpace(release))
}

func report(how ending, ig cost) []byte {
	told, _ := json.Marshal(struct {
		ending
		Ig  cost `json:"ig"`
		Tap cost `json:"tap"`
	}{how, ig, ownCost()})
	return told
}
