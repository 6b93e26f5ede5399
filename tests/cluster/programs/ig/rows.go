package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	isoToken = "@ISO@"
	rawToken = "@RAW@"
	isoForm  = "2006-01-02T15:04:05.000000000Z"
)

type event = map[string]any

// row is a recorded event, cut where its times go.
type row [][]byte

// write appends the row with the time at.
func (r row) write(line []byte, at time.Time) []byte {
	for i, part := range r {
		switch {
		case i%2 == 0:
			line = append(line, part...)
		case string(part) == isoToken:
			line = at.UTC().AppendFormat(line, isoForm)
		default:
			line = strconv.AppendInt(line, at.UnixNano(), 10)
		}
	}
	return line
}

// load reads what a gadget prints, as the command wants it; array where a line holds a set.
func load(c command) (rows []row, array bool, err error) {
	path := filepath.Join(recordings, generation(c), c.gadget+".jsonl")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false, fmt.Errorf("fetching gadget information: no such gadget: %s", c.gadget)
	}
	for line := range bytes.Lines(data) {
		if line[0] != '[' {
			line = append(append([]byte{'['}, line...), ']')
		} else {
			array = true
		}
		var events []event
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&events); err != nil {
			return nil, false, fmt.Errorf("reading %s: %w", path, err)
		}
		for _, e := range events {
			if c.shows(namespace(e)) {
				rows = append(rows, shape(c, e))
			}
		}
	}
	return rows, array, nil
}

// shape applies json.skip and env.fields, and cuts the line at its times.
func shape(c command, e event) row {
	for _, path := range c.skips {
		drop(e, strings.Split(path, "."))
	}
	for field, variable := range c.fields {
		e[field] = os.Getenv(variable)
	}
	stamp(e, "timestamp")
	stamp(e, "timestamp_raw")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		panic(err) // what was decoded can be encoded
	}
	text := strings.TrimSuffix(out.String(), "\n")
	text = strings.ReplaceAll(text, `"`+rawToken+`"`, "\x00"+rawToken+"\x00")
	text = strings.ReplaceAll(text, isoToken, "\x00"+isoToken+"\x00")
	var parts row
	for _, part := range strings.Split(text, "\x00") {
		parts = append(parts, []byte(part))
	}
	return parts
}

// stamp puts a token of its form in place of a time, if it is there.
func stamp(e event, key string) {
	switch e[key].(type) {
	case nil:
	case string:
		e[key] = isoToken
	default:
		e[key] = rawToken
	}
}

func drop(e event, path []string) {
	if len(path) == 1 {
		delete(e, path[0])
	} else if inner, ok := e[path[0]].(event); ok {
		drop(inner, path[1:])
	}
}

func namespace(e event) string {
	k8s, _ := e["k8s"].(event)
	name, _ := k8s["namespace"].(string)
	return name
}

func generation(c command) string {
	if c.builtin {
		return "builtin"
	}
	return "image"
}
