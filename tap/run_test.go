package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests run this very program as the tap, for its signals and its death are a process's.
func TestMain(m *testing.M) {
	if os.Getenv("TAP") != "" {
		os.Args = append(os.Args[:1], strings.Split(os.Getenv("TAP"), "\x1f")...)
		main()
	}
	os.Exit(m.Run())
}

// tap is a tap under test and what it writes.
func tap(t *testing.T, args ...string) (*exec.Cmd, io.ReadCloser) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "TAP="+strings.Join(args, "\x1f"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, out
}

type session struct {
	lines  []string
	frames []header
	how    struct {
		ending
		Ig, Tap cost
	}
	exit int
}

// finished reads a tap to its end; every frame must be sound and numbered.
func finished(t *testing.T, cmd *exec.Cmd, out io.Reader) (s session) {
	t.Helper()
	log, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	s.exit = cmd.ProcessState.ExitCode()
	for line := range bytes.Lines(log) {
		h, payload, err := read(bytes.TrimSuffix(line, newline))
		if err != nil || h.seq != uint64(len(s.frames)) {
			t.Fatalf("frame %d: %v: %.80q", len(s.frames), err, line)
		}
		s.frames = append(s.frames, h)
		if h.lines > 0 {
			s.lines = append(s.lines, strings.SplitAfter(string(payload), "\n")[:h.lines]...)
		}
		if h.kind == end {
			if err := json.Unmarshal(payload, &s.how); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func shell(t *testing.T, script string, flags ...string) session {
	t.Helper()
	cmd, out := tap(t, append(flags, "--", "sh", "-c", script)...)
	return finished(t, cmd, out)
}

func TestASessionFromHelloToEnd(t *testing.T) {
	s := shell(t, `echo one; echo two >&2; printf three; exit 7`, "-window", "5ms")
	if s.exit != 7 || s.how.ExitCode != 7 || s.how.Reason != "exited" {
		t.Errorf("exit %d, %+v", s.exit, s.how)
	}
	if s.frames[0].kind != hello || s.frames[len(s.frames)-1].kind != end {
		t.Errorf("%+v", s.frames)
	}
	if got := strings.Join(s.lines, ""); len(s.lines) != 3 || !strings.Contains(got, "three\n") {
		t.Errorf("%q", got)
	}
	if s.how.Ig.MemoryBytes == 0 || s.how.Tap.MemoryBytes == 0 {
		t.Errorf("%+v", s.how)
	}
}

// Lines that come one by one gather in the pipe, however many wake-ups they could cause.
func TestLinesGatherIntoFewFrames(t *testing.T) {
	s := shell(t, "for i in $(seq 200); do echo $i; sleep 0.001; done")
	if len(s.lines) != 200 || len(s.frames) > 50 {
		t.Errorf("%d lines in %d frames", len(s.lines), len(s.frames))
	}
}

func TestACommandThatIsNotThere(t *testing.T) {
	cmd, out := tap(t, "--", "/no/such/ig")
	if s := finished(t, cmd, out); s.exit != 127 || s.how.Reason != "start" || s.how.Message == "" {
		t.Errorf("exit %d, %+v", s.exit, s.how)
	}
}

func TestSignalsReachIg(t *testing.T) {
	cmd, out := tap(t, "--", "sh", "-c", `trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done`)
	log := make([]byte, 0, 1024)
	for !bytes.Contains(log, []byte("\n")) || bytes.Count(log, newline) < 2 {
		buffer := make([]byte, 1024)
		n, err := out.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, buffer[:n]...)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	s := finished(t, cmd, io.MultiReader(bytes.NewReader(log), out))
	if s.exit != 3 || s.how.Reason != "stopped" || s.lines[len(s.lines)-1] != "bye\n" {
		t.Errorf("exit %d, %+v, %q", s.exit, s.how, s.lines)
	}
}

func TestTheDeadlineEndsAnIgThatHangs(t *testing.T) {
	begun := time.Now()
	s := shell(t, `trap '' TERM; sleep 60 & wait; sleep 60`, "-deadline", "100ms", "-heartbeat", "10ms")
	if s.how.Reason != "deadline" || s.how.Signal != int(syscall.SIGKILL) || s.exit != 137 {
		t.Errorf("exit %d, %+v", s.exit, s.how)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestNothingOutlivesTheTap(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	cmd, _ := tap(t, "--", "sh", "-c", "echo $$ > "+file+".new; mv "+file+".new "+file+"; exec sleep 60")
	var pid int
	for pid == 0 {
		text, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for range 500 {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || bytes.Contains(state, []byte(") Z ")) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("ig runs on")
}

// A reader that stops neither blocks ig nor costs more than counted lines.
func TestASlowReaderDoesNotBlockIg(t *testing.T) {
	file := filepath.Join(t.TempDir(), "done")
	line := strings.Repeat("x", 999)
	cmd, out := tap(t, "-buffer", "256KiB", "-max-frame", "64KiB", "-window", "1ms", "--",
		"sh", "-c", "yes $(head -c 600 /dev/urandom | base64 -w0) | head -n 20000; echo "+line[:9]+"; touch "+file)
	for range 3000 {
		if _, err := os.Stat(file); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatal("ig was blocked")
	}
	s := finished(t, cmd, out)
	last := s.frames[len(s.frames)-1].sums
	if last.output+last.dropped != 20001 || last.output != uint64(len(s.lines)) {
		t.Errorf("%+v, %d lines", last, len(s.lines))
	}
}

func TestWhenNobodyReadsTheTapEnds(t *testing.T) {
	cmd, out := tap(t, "-heartbeat", "10ms", "--", "sleep", "60")
	out.Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("the tap runs on")
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	for _, args := range [][]string{
		{}, {"ig", "run"}, {"--"}, {"-window", "0s", "--", "ig"}, {"-buffer", "8XiB", "--", "ig"},
		{"-deadline", "-1s", "--", "ig"}, {"-without", "a,,b", "--", "ig"}, {"-nope", "--", "ig"},
		{"-heartbeat", "1ms", "--", "ig"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	o, err := parse([]string{"--buffer=1MiB", "--without", "a,b", "--", "ig", "--", "-x"}, io.Discard)
	if err != nil || o.limits.buffer != 1<<20 || len(o.without) != 2 || len(o.command) != 3 {
		t.Errorf("%v %+v", err, o)
	}
}
