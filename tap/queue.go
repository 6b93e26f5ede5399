package main

import "time"

// take returns the next segment and the drops up to now; false when all is taken for good.
//
// It waits for one until the time due, and then returns a heartbeat.
func (c *collector) take(due time.Time) (segment, sums, bool) {
	for {
		s, drops, found, more := c.next(due)
		if found || !more {
			return s, drops, more
		}
		c.timer.Reset(time.Until(due))
		select {
		case <-c.wake:
		case <-c.timer.C:
		}
	}
}

// next is take without waiting: nothing may be found yet.
func (c *collector) next(due time.Time) (s segment, drops sums, found, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(c.queue) > 0:
		s = c.queue[0]
		n := copy(c.queue, c.queue[1:])
		c.queue[n] = segment{} // its buffer is not to be kept
		c.queue = c.queue[:n]
	case c.done:
		return segment{}, c.drops, false, false
	case !time.Now().Before(due):
		s = segment{kind: heartbeat, at: c.clock.now()}
	default:
		return segment{}, sums{}, false, true
	}
	return s, c.drops, true, true
}

// release gives the room of a segment that was written back.
func (c *collector) release(s segment) {
	if s.data == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held -= len(s.data)
	if len(c.free) < 4 && cap(s.data) <= 2*c.limits.frame {
		c.free = append(c.free, s.data[:0])
	}
}

func (c *collector) buffer() []byte {
	if n := len(c.free); n > 0 {
		b := c.free[n-1]
		c.free = c.free[:n-1]
		return b
	}
	return make([]byte, 0, min(c.limits.frame, usual))
}
