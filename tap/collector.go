package main

import (
	"bytes"
	"sync"
	"time"
)

const (
	mostTurns = 8       // changes between output and stderr within one window
	usual     = 1 << 20 // bytes of a buffer that is kept for the next line
)

// segment is what one frame will hold: lines of one kind, or nothing but its kind.
type segment struct {
	kind  kind
	data  []byte
	lines uint32
	lost  uint32
	at    moment
}

// limits bound what a collector holds; bytes.
type limits struct {
	frame  int // of lines in a frame, unless one line is longer
	line   int // of the longest line
	buffer int // of lines that wait
}

// collector takes what ig prints and hands it out in segments, in order.
//
// It never waits: lines that find no room are dropped whole and counted.
type collector struct {
	limits limits
	window time.Duration
	clock  *clock
	filter *filter
	warns  bool // whether ig tells of lost samples among its events, as built-in gadgets do

	mu     sync.Mutex
	open   []segment // of the current window
	closed time.Time // when the last one ended
	queue  []segment // that can be written
	held   int       // bytes in both
	parts  [2]part   // of output and stderr
	drops  sums      // dropped and filtered; the rest is the writer's
	free   [][]byte
	done   bool
	wake   chan struct{}
	timer  *time.Timer // of who takes
}

// part is the beginning of a line whose end has not come; skipped counts one that is too long.
type part struct {
	bytes   []byte
	skipped int
}

func newCollector(l limits, window time.Duration, c *clock, f *filter) *collector {
	return &collector{
		limits: l, window: window, clock: c, filter: f,
		wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour),
	}
}

// feed takes the next bytes of output (data) or stderr.
func (c *collector) feed(k kind, chunk []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &c.parts[k-data]
	cut := bytes.LastIndexByte(chunk, '\n') + 1
	if cut > 0 {
		c.lines(k, c.joined(p, chunk[:cut]))
	}
	p.keep(chunk[cut:], c.limits.line)
}

// settle ends a window that is over, or at once, and tells whether lines are left in it.
//
// While segments wait for a slow reader the window goes on, so that they become full ones.
func (c *collector) settle(now bool) (left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := len(c.queue) == 0 && time.Since(c.closed) >= c.window
	if len(c.open) > 0 && (now || due) {
		c.close()
	}
	return len(c.open) > 0
}

// finish ends the last lines and the window; nothing may be fed any more.
func (c *collector) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range []kind{stderr, data} {
		if p := &c.parts[k-data]; len(p.bytes) > 0 || p.skipped > 0 {
			c.lines(k, c.joined(p, []byte{'\n'}))
		}
	}
	c.close()
	c.done = true
	c.signal()
}

// joined puts the line's beginning before lines, which end in a newline.
func (c *collector) joined(p *part, lines []byte) []byte {
	if p.skipped > 0 {
		first := bytes.IndexByte(lines, '\n') + 1
		c.drop(1, p.skipped+first)
		p.skipped = 0
		return lines[first:]
	}
	if len(p.bytes) == 0 {
		return lines
	}
	p.bytes = append(p.bytes, lines...)
	joined := p.bytes
	if p.bytes = p.bytes[:0]; cap(p.bytes) > usual {
		p.bytes = nil
	}
	return joined
}

func (p *part) keep(rest []byte, limit int) {
	if p.skipped == 0 && len(p.bytes)+len(rest) <= limit {
		p.bytes = append(p.bytes, rest...)
		return
	}
	p.skipped += len(p.bytes) + len(rest)
	p.bytes = nil
}

// lines takes whole lines: without those that are too long, not wanted, or find no room.
func (c *collector) lines(k kind, lines []byte) {
	if len(lines) > c.limits.line {
		lines = c.short(lines)
	}
	if k == data && c.filter != nil {
		kept, left := c.filter.apply(lines)
		c.drops.filtered += uint64(left)
		lines = kept
	}
	lines = c.admitted(lines)
	for len(lines) > 0 {
		lines = c.add(k, lines)
	}
}

// short leaves out lines that are too long.
func (c *collector) short(lines []byte) []byte {
	kept := make([]byte, 0, len(lines))
	for line := range bytes.Lines(lines) {
		if len(line)-1 > c.limits.line {
			c.drop(1, len(line))
		} else {
			kept = append(kept, line...)
		}
	}
	return kept
}

// admitted cuts off the lines for which there is no room.
func (c *collector) admitted(lines []byte) []byte {
	room := c.limits.buffer - c.held
	if len(lines) <= room {
		return lines
	}
	cut := bytes.LastIndexByte(lines[:max(room, 0)], '\n') + 1
	c.drop(bytes.Count(lines[cut:], newline), len(lines)-cut)
	return lines[:cut]
}

func (c *collector) drop(lines, size int) {
	c.drops.dropped += uint64(lines)
	c.drops.droppedBytes += uint64(size)
}

// add puts lines into the window up to a frame's size, or to the line by which ig says that it
// observes, and returns the rest.
func (c *collector) add(k kind, lines []byte) []byte {
	s := c.segment(k)
	cut := c.fit(len(s.data), lines)
	marked := 0
	if k == stderr && !c.clock.ready() {
		if marked = marker(lines[:cut]); marked > 0 {
			cut = marked
		}
	}
	s.data = append(s.data, lines[:cut]...)
	s.lines += uint32(bytes.Count(lines[:cut], newline))
	if k == stderr || c.warns {
		s.lost += lost(k, lines[:cut])
	}
	c.held += cut
	if marked > 0 {
		c.clock.mark()
		c.open = append(c.open, segment{kind: ready})
	}
	if marked > 0 || cut < len(lines) {
		c.close()
	}
	return lines[cut:]
}

// segment finds or begins the one of the window that takes lines of kind k.
func (c *collector) segment(k kind) *segment {
	if n := len(c.open); n > 0 && (c.open[n-1].kind == k || n >= mostTurns) {
		for i := n - 1; i >= 0; i-- {
			if c.open[i].kind == k {
				return &c.open[i]
			}
		}
	}
	c.open = append(c.open, segment{kind: k, data: c.buffer()})
	return &c.open[len(c.open)-1]
}

// fit tells how many bytes of whole lines go into a segment that holds some; one line always fits.
func (c *collector) fit(holds int, lines []byte) int {
	room := c.limits.frame - holds
	if len(lines) <= room {
		return len(lines)
	}
	if room > 0 {
		if cut := bytes.LastIndexByte(lines[:room], '\n') + 1; cut > 0 {
			return cut
		}
	}
	if holds > 0 {
		return 0
	}
	return bytes.IndexByte(lines, '\n') + 1
}

// close stamps the window's segments and lets them be written.
func (c *collector) close() {
	at := c.clock.now()
	for i := range c.open {
		c.open[i].at = at
		if len(c.open[i].data) > 0 || c.open[i].kind == ready {
			c.queue = append(c.queue, c.open[i])
		}
		c.open[i] = segment{}
	}
	c.open = c.open[:0]
	c.closed = time.Now()
	c.signal()
}

func (c *collector) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
