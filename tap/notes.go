package main

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

var (
	newline   = []byte{'\n'}
	readyLine = []byte("msg=running...\n") // ig's log, with -v: the gadget is attached
	logged    = []byte("time=")
	lostInLog = []byte("lost ")
	lostInRow = []byte(`"message":"lost `) // what built-in gadgets print among their events
	samples   = []byte(" samples")
)

// clock stamps frames; it is not safe for use by several at once.
type clock struct {
	start time.Time
	since time.Time // of ig's readiness
}

func newClock() *clock { return &clock{start: time.Now()} }

func (c *clock) ready() bool { return !c.since.IsZero() }

func (c *clock) mark() { c.since = time.Now() }

func (c *clock) now() moment {
	now := time.Now()
	at := moment{clock: now.UnixNano(), elapsed: int64(now.Sub(c.start))}
	if c.ready() {
		at.observed = int64(now.Sub(c.since))
	}
	return at
}

// marker finds the line by which ig says that it observes, and returns where it ends; 0: not there.
func marker(lines []byte) int {
	for from := 0; ; {
		at := bytes.Index(lines[from:], readyLine)
		if at < 0 {
			return 0
		}
		at += from
		from = at + len(readyLine)
		begin := bytes.LastIndexByte(lines[:at], '\n') + 1
		if bytes.HasPrefix(lines[begin:], logged) {
			return from
		}
	}
}

// lost sums up what lines tell of samples that the kernel's buffer lost.
func lost(k kind, lines []byte) uint32 {
	text := lostInLog
	if k == data {
		text = lostInRow
	}
	var sum uint64
	for {
		at := bytes.Index(lines, text)
		if at < 0 {
			return uint32(min(sum, math.MaxUint32))
		}
		lines = lines[at+len(text):]
		digits := 0
		for digits < len(lines) && digits < 10 && lines[digits] >= '0' && lines[digits] <= '9' {
			digits++
		}
		if digits > 0 && digits < 10 && bytes.HasPrefix(lines[digits:], samples) {
			n, _ := strconv.ParseUint(string(lines[:digits]), 10, 32)
			sum += n
		}
	}
}
