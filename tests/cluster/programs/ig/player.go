package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const (
	greeting = 5 // lines that ig prints at once; the rest comes just before it is ready
	startup  = 300 * time.Millisecond
	tick     = 2 * time.Millisecond
)

var logTime = regexp.MustCompile(`(?m)^time="[^"]*"`)

// player prints what one ig would print, a line a write as ig does.
type player struct {
	command  command
	rows     []row
	array    bool
	stop     <-chan os.Signal
	line     []byte
	next     int
	longest  time.Duration
	lost     int // events, since that was told
	overflow int // in all
}

func open(c command, stop <-chan os.Signal) (*player, error) {
	rows, array, err := load(c)
	return &player{command: c, rows: rows, array: array, stop: stop}, err
}

// run plays until the timeout, SIGTERM, or the end of what is printed once.
func (p *player) run() {
	start := p.log("start")
	cut := min(greeting, len(start))
	p.tell(start[:cut])
	if p.wait(startup) {
		os.Exit(143)
	}
	p.tell(start[cut:])
	var end <-chan time.Time
	if p.command.timeout > 0 {
		end = time.After(p.command.timeout)
	}
	p.play(end)
	p.account()
	p.tell(p.log("stop"))
}

func (p *player) play(end <-chan time.Time) {
	switch {
	case p.command.silent || len(p.rows) == 0 && !p.array:
		p.idle(end)
	case !p.array:
		p.events(end)
	default:
		p.sets(end)
	}
}

// events prints single events at the command's rate.
func (p *player) events(end <-chan time.Time) {
	began := time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var told time.Time
	for {
		select {
		case <-p.stop:
			return
		case <-end:
			return
		case now := <-ticker.C:
			due := int(now.Sub(began).Seconds()*p.command.rate) - p.overflow
			if over := due - p.next - p.command.holds; p.command.holds > 0 && over > 0 {
				p.lost, p.overflow, due = p.lost+over, p.overflow+over, due-over
			}
			for ; p.next < due; p.next++ {
				p.print(p.rows[p.next%len(p.rows)].write(p.line[:0], time.Now()))
			}
			if p.lost > 0 && now.Sub(told) >= time.Second {
				p.tell([][]byte{p.loss(now)})
				p.lost, told = 0, now
			}
			p.longest = max(p.longest, time.Since(now))
		}
	}
}

// sets prints the whole set each interval: at once and again for snapshots, after it for others.
func (p *player) sets(end <-chan time.Time) {
	if snapshot := strings.HasPrefix(p.command.gadget, "snapshot_"); snapshot {
		p.set()
	}
	if p.command.interval == 0 {
		if !p.command.builtin {
			p.idle(end)
		}
		return
	}
	ticker := time.NewTicker(p.command.interval)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-end:
			return
		case <-ticker.C:
			p.set()
		}
	}
}

// loss is what ig says, once a second, of a buffer that was full.
func (p *player) loss(now time.Time) []byte {
	return fmt.Appendf(nil, "time=%q level=warning msg=\"lost %d samples\"\n", now.UTC().Format(time.RFC3339), p.lost)
}

// account tells what was printed at a rate that was asked for, and for how long nothing could be:
// because nobody read, or because others had the processor; and what store there was.
func (p *player) account() {
	if p.command.paced && p.command.verbose {
		p.say(fmt.Sprintf("%d events, held up for %d ms at most", p.next, p.longest.Milliseconds()))
	}
	if p.command.store != "" {
		p.say(p.command.store)
	}
}

func (p *player) say(text string) {
	now := time.Now().UTC().Format(time.RFC3339)
	fmt.Fprintf(os.Stderr, "time=%q level=debug msg=\"player: %s\"\n", now, text)
}

func (p *player) set() {
	now := time.Now()
	line := append(p.line[:0], '[')
	for i, row := range p.rows {
		if i > 0 {
			line = append(line, ',')
		}
		line = row.write(line, now)
	}
	p.print(append(line, ']'))
}

func (p *player) idle(end <-chan time.Time) {
	select {
	case <-p.stop:
	case <-end:
	}
}

// wait sleeps, and tells whether a signal cut it short.
func (p *player) wait(d time.Duration) bool {
	select {
	case <-p.stop:
		return true
	case <-time.After(d):
		return false
	}
}

func (p *player) print(line []byte) {
	p.line = append(line, '\n')
	os.Stdout.Write(p.line)
}

// log returns ig's own lines of its start or stop, with the present time.
func (p *player) log(part string) [][]byte {
	if !p.command.builtin && !p.command.verbose {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(recordings, generation(p.command), part+".log"))
	if err != nil {
		return nil
	}
	now := []byte(`time="` + time.Now().UTC().Format(time.RFC3339) + `"`)
	return bytes.SplitAfter(logTime.ReplaceAll(data, now), []byte("\n"))
}

func (p *player) tell(lines [][]byte) {
	for _, line := range lines {
		if len(line) > 0 {
			os.Stderr.Write(line)
		}
	}
}
