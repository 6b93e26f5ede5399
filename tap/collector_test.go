package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

const marked = "time=\"2027-01-15T08:00:00Z\" level=debug msg=running...\n"

func small() *collector {
	return newCollector(limits{frame: 64, line: 40, buffer: 256}, time.Hour, newClock(), nil)
}

// taken closes the window and takes what there is.
func taken(c *collector) (all []segment) {
	c.finish()
	for {
		s, _, more := c.take(time.Now().Add(time.Hour))
		if !more {
			return all
		}
		all = append(all, s)
	}
}

func text(segments []segment) string {
	var out strings.Builder
	for _, s := range segments {
		fmt.Fprintf(&out, "%d:%s|", s.kind, s.data)
	}
	return out.String()
}

func TestLinesComeInOrder(t *testing.T) {
	c := small()
	c.feed(data, []byte("a\nb\n"))
	c.feed(stderr, []byte("e\n"))
	c.feed(data, []byte("c\nd"))
	c.feed(stderr, []byte("f"))
	if got := text(taken(c)); got != "3:a\nb\n|4:e\n|3:c\n|4:f\n|3:d\n|" {
		t.Error(got)
	}
}

func TestReadinessEndsTheWindow(t *testing.T) {
	c := small()
	c.limits.line, c.limits.frame = 1000, 1000
	c.feed(stderr, []byte("x msg=running...\n"+marked+"after\n"))
	c.feed(stderr, []byte(marked))
	got := text(taken(c))
	if want := "4:x msg=running...\n" + marked + "|2:|4:after\n" + marked + "|"; got != want {
		t.Error(got)
	}
	if c.clock.now().observed <= 0 {
		t.Error("not observed")
	}
}

func TestFramesAreFilledButLinesAreWhole(t *testing.T) {
	c := small()
	line := strings.Repeat("x", 24) + "\n"
	c.feed(data, []byte(strings.Repeat(line, 5)))
	for i, s := range taken(c) {
		if want := min(2, 5-2*i) * len(line); len(s.data) != want || int(s.lines)*len(line) != want {
			t.Errorf("segment %d: %d bytes, %d lines", i, len(s.data), s.lines)
		}
	}
}

func TestTooLongLinesAreDroppedAndCounted(t *testing.T) {
	c := small()
	long := strings.Repeat("y", 41)
	c.feed(data, []byte("a\n"+long+"\nb\n"+long))
	c.feed(data, []byte(long+"\nc\n"+long))
	if got := text(taken(c)); got != "3:a\nb\nc\n|" {
		t.Error(got)
	}
	if c.drops.dropped != 3 || c.drops.droppedBytes != 42+83+42 {
		t.Errorf("%+v", c.drops)
	}
}

func TestAFullBufferDropsWholeLinesAndNeverWaits(t *testing.T) {
	c := small()
	line := strings.Repeat("z", 9) + "\n"
	for range 100 {
		c.feed(data, []byte(line))
	}
	segments := taken(c)
	if c.held > c.limits.buffer {
		t.Errorf("%d bytes held", c.held)
	}
	var lines uint64
	for _, s := range segments {
		lines += uint64(s.lines)
		c.release(s)
	}
	if lines+c.drops.dropped != 100 || lines != 25 || c.held != 0 {
		t.Errorf("%d lines, %+v, %d held", lines, c.drops, c.held)
	}
}

func TestTurnsAreBounded(t *testing.T) {
	c := newCollector(limits{frame: 1 << 20, line: 100, buffer: 1 << 20}, time.Hour, newClock(), nil)
	for range 1000 {
		c.feed(data, []byte("d\n"))
		c.feed(stderr, []byte("e\n"))
	}
	if got := taken(c); len(got) != mostTurns {
		t.Errorf("%d segments", len(got))
	}
}

func TestAWindowEndsWhenItIsOverAndNobodyIsBehind(t *testing.T) {
	c := small()
	c.feed(data, []byte("a\n"))
	if c.settle(false) { // the first since long ago
		t.Error("kept")
	}
	c.feed(data, []byte("b\n"))
	if !c.settle(false) {
		t.Error("it is not over")
	}
	c.closed = time.Time{}
	if !c.settle(false) {
		t.Error("a segment still waits")
	}
	c.feed(data, []byte("c\n"))
	if got := text(taken(c)); got != "3:a\n|3:b\nc\n|" {
		t.Error(got)
	}
}

func TestSilenceMakesHeartbeats(t *testing.T) {
	c := small()
	s, _, more := c.take(time.Now().Add(time.Millisecond))
	if s.kind != heartbeat || !more {
		t.Errorf("%+v", s)
	}
}

func TestLostSamplesAreReadAsIgTellsThem(t *testing.T) {
	log := []byte("time=x level=warning msg=\"lost 17 samples\"\nlost x samples\nlost 3 samples\n")
	row := []byte(`{"type":"warn","message":"lost 5 samples"}` + "\n" + `{"comm":"lost 9 samples"}`)
	if got := lost(stderr, log); got != 20 {
		t.Error(got)
	}
	if got := lost(data, row); got != 5 {
		t.Error(got)
	}
}

// Whatever comes in whatever pieces: every line is in one segment, whole and in order, or dropped.
func FuzzCollector(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), uint8(3))
	f.Add([]byte(strings.Repeat("long ", 20)+"\nshort\n"), uint8(7))
	f.Fuzz(func(t *testing.T, input []byte, step uint8) {
		c := small()
		for rest := input; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			c.feed(data, rest[:n])
			rest = rest[n:]
		}
		if len(input) > 0 && input[len(input)-1] != '\n' {
			input = append(bytes.Clone(input), '\n')
		}
		var lines uint64
		rest := input
		for _, s := range taken(c) {
			for line := range bytes.Lines(s.data) {
				at := indexLine(rest, line)
				if at < 0 {
					t.Fatalf("%q is no line of %q", line, rest)
				}
				rest = rest[at+len(line):]
			}
			if len(s.data) > c.limits.frame && s.lines > 1 {
				t.Errorf("%d bytes in one frame", len(s.data))
			}
			lines += uint64(s.lines)
		}
		if total := uint64(bytes.Count(input, newline)); lines+c.drops.dropped != total {
			t.Errorf("%d lines and %d dropped of %d", lines, c.drops.dropped, total)
		}
	})
}

func indexLine(text, line []byte) int {
	at := 0
	for each := range bytes.Lines(text) {
		if bytes.Equal(each, line) {
			return at
		}
		at += len(each)
	}
	return -1
}
