package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command is what ig was asked to do. A zero timeout means that it does not end by itself, a zero
// interval that a set is printed once.
type command struct {
	gadget   string
	store    string // what there is to say of the store of gadget images
	builtin  bool
	verbose  bool
	silent   bool
	paced    bool
	holds    int // events that the kernel's buffer holds; 0: all
	rate     float64
	timeout  time.Duration
	interval time.Duration
	skips    []string
	fields   map[string]string
	shown    []string
	hidden   []string
}

const defaultRate = 20

var (
	switches = []string{"-v", "--verbose", "--host", "--paths", "--failed", "--failed-only"}
	aliases  = map[string]string{"v": "verbose", "t": "timeout", "o": "output", "n": "namespace"}
	comma    = regexp.MustCompile(`[^,\\]*(?:\\.[^,\\]*)*`)
)

// parse reads ig's arguments; its error is what ig would say to them.
func parse(args []string) (command, error) {
	words, flags := split(args)
	c := command{
		verbose:  has(flags, "verbose"),
		timeout:  seconds(flags["timeout"]),
		interval: time.Second,
		rate:     defaultRate,
		fields:   map[string]string{},
	}
	if rate, err := strconv.ParseFloat(flags["rate"], 64); err == nil && rate > 0 {
		c.rate, c.paced = rate, true
	}
	c.holds, _ = strconv.Atoi(flags["kernel-buffer"])
	if len(words) == 2 && words[0] == "run" {
		c.image(words[1], flags)
		var err error
		if flags["pull"] == "never" {
			if c.store, err = fetch(words[1]); err != nil {
				err = fmt.Errorf("fetching gadget information: ensuring image: %w", err)
			}
		}
		return c, err
	}
	if len(words) != 2 {
		return c, fmt.Errorf("unknown command %q for \"ig\"", strings.Join(words, " "))
	}
	return c, c.words(words, flags)
}

func (c *command) image(image string, flags map[string]string) {
	name := image[strings.LastIndex(image, "/")+1:]
	c.gadget, _, _ = strings.Cut(strings.Split(name, "@")[0], ":")
	if interval := seconds(flags["map-fetch-interval"]); interval > 0 {
		c.interval = interval
	}
	options := map[string]string{}
	for _, note := range comma.FindAllString(flags["annotate"], -1) {
		key, value, _ := strings.Cut(note, "=")
		path, option, _ := strings.Cut(key, ":")
		options[option] = value
		if option == "json.skip" && value == "true" {
			_, field, _ := strings.Cut(path, ".")
			c.skips = append(c.skips, field)
		}
		if field, found := strings.CutPrefix(option, "env.fields."); found {
			c.fields[field] = value
		}
	}
	if strings.HasPrefix(c.gadget, "snapshot_") {
		c.interval = seconds(options["fetch-interval"])
		if count, given := options["fetch-count"]; !given || count == "1" {
			c.interval = 0
		}
	}
	c.silent = strings.HasPrefix(c.gadget, "profile_") && options["metrics.print"] != "false"
	for _, namespace := range strings.Split(flags["k8s-namespace"], ",") {
		if hidden, found := strings.CutPrefix(namespace, "!"); found {
			c.hidden = append(c.hidden, hidden)
		} else if namespace != "" {
			c.shown = append(c.shown, namespace)
		}
	}
}

func (c *command) words(words []string, flags map[string]string) error {
	c.builtin = true
	c.gadget = words[0] + "_" + strings.ReplaceAll(words[1], "-", "")
	if words[0] == "snapshot" {
		if has(flags, "timeout") {
			return fmt.Errorf("unknown flag: --timeout")
		}
		c.interval = 0
	} else if interval := seconds(flags["interval"]); interval > 0 {
		c.interval = interval
	}
	return nil
}

// shows tells whether events of a namespace are printed.
func (c command) shows(namespace string) bool {
	if slices.Contains(c.hidden, namespace) {
		return false
	}
	return len(c.shown) == 0 || slices.Contains(c.shown, namespace)
}

// split parts words from flags; a repeated flag replaces the earlier one, as in ig.
func split(args []string) (words []string, flags map[string]string) {
	flags = map[string]string{}
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			words = append(words, args[i])
			continue
		}
		name, value, given := strings.Cut(args[i], "=")
		takes := !given && !slices.Contains(switches, args[i])
		if takes && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			value = args[i]
		}
		name = strings.TrimLeft(name, "-")
		if long, short := aliases[name]; short {
			name = long
		}
		flags[name] = value
	}
	return words, flags
}

// seconds reads 5, 5s, 1000ms, 1m30s; anything else is zero.
func seconds(text string) time.Duration {
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Duration(number * float64(time.Second))
	}
	duration, _ := time.ParseDuration(text)
	return duration
}

func has(flags map[string]string, name string) bool {
	_, found := flags[name]
	return found
}
