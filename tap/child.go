package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	pipeBytes  = 1 << 20                 // Linux gives as much to anybody
	pause      = 10 * time.Millisecond   // how long few bytes may grow before they are read
	termGrace  = 2 * time.Second         // of ig at the deadline
	stopGrace  = 3500 * time.Millisecond // of ig when told to stop: less than kubelets give the tap
	afterwards = time.Second             // for what ig left in its pipes
)

const setPipeSize = 1031 // F_SETPIPE_SZ

// child is ig: its process, and the read ends of its pipes.
type child struct {
	process *exec.Cmd
	pipes   [2]*os.File // output, stderr
	held    int         // bytes that a pipe holds
}

// start runs command; nothing keeps it alive when the tap is gone.
//
// It must be called on a thread that lives as long as the process: the parent-death signal comes
// when the thread that forked ends.
func start(command []string) (*child, error) {
	c := &child{process: exec.Command(command[0], command[1:]...), held: pipeBytes}
	var ends [2]*os.File
	for i := range ends {
		reading, writing, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer writing.Close()
		c.pipes[i], ends[i] = reading, writing
		got, _, _ := syscall.Syscall(syscall.SYS_FCNTL, writing.Fd(), setPipeSize, pipeBytes)
		if got == 0 || int(got) < 0 {
			got = 1 << 16
		}
		c.held = min(c.held, int(got))
	}
	c.process.Stdout, c.process.Stderr = ends[0], ends[1]
	c.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c, c.process.Start()
}

// read feeds both pipes to the collector until they are at their ends.
func (c *child) read(to *collector) *sync.WaitGroup {
	var readers sync.WaitGroup
	for i, k := range []kind{data, stderr} {
		readers.Go(func() { drain(c.pipes[i], c.held, func(b []byte) { to.feed(k, b) }) })
	}
	return &readers
}

// drain reads a pipe; few bytes are left to grow, or every line of ig would wake the tap.
func drain(pipe *os.File, holds int, feed func([]byte)) {
	buffer := make([]byte, 1<<16)
	rest := min(pause, time.Duration(holds)*pause/pipeBytes)
	for {
		n, err := pipe.Read(buffer)
		if n > 0 {
			feed(buffer[:n])
		}
		if err != nil {
			return
		}
		if n < len(buffer) {
			time.Sleep(rest)
		}
	}
}

// ending is how ig ended.
type ending struct {
	Reason   string `json:"reason"`
	ExitCode int    `json:"exit_code"`
	Signal   int    `json:"signal"`
	Message  string `json:"message"`
}

// wait returns when ig has ended, by itself or because it had to.
func (c *child) wait(deadline time.Duration) ending {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	ended := make(chan error, 1)
	go func() { ended <- c.process.Wait() }()
	var due, kill <-chan time.Time
	if deadline > 0 {
		due = time.After(deadline)
	}
	reason := ""
	for {
		select {
		case err := <-ended:
			return describe(reason, c.process.ProcessState, err)
		case got := <-signals:
			_ = c.process.Process.Signal(got)
			if got != syscall.SIGUSR1 && got != syscall.SIGUSR2 && reason == "" {
				reason, kill = "stopped", time.After(stopGrace)
			}
		case <-due:
			reason, kill = "deadline", time.After(termGrace)
			_ = c.process.Process.Signal(syscall.SIGTERM)
		case <-kill:
			_ = c.process.Process.Kill()
		}
	}
}

func describe(reason string, state *os.ProcessState, err error) ending {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ending{Reason: "start", ExitCode: 1, Message: err.Error()}
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	e := ending{Reason: reason, ExitCode: status.ExitStatus()}
	if status.Signaled() {
		e.Signal, e.ExitCode = int(status.Signal()), 128+int(status.Signal())
	}
	if e.Reason == "" {
		e.Reason = map[bool]string{true: "signalled", false: "exited"}[status.Signaled()]
	}
	return e
}

// cost is what a process took of the node.
type cost struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	MemoryBytes int64   `json:"memory_bytes"`
}

func costOf(usage *syscall.Rusage) cost {
	if usage == nil {
		return cost{}
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return cost{CPUSeconds: cpu.Seconds(), MemoryBytes: int64(usage.Maxrss) << 10}
}

func (c *child) cost() cost {
	if c.process.ProcessState == nil {
		return cost{}
	}
	usage, _ := c.process.ProcessState.SysUsage().(*syscall.Rusage)
	return costOf(usage)
}

func ownCost() cost {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return costOf(&usage)
}
