package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const vectorsFile = "../tests/data/tap/vectors.json"

var errFrame = errors.New("no sound frame")

// read is the specification's reader, for tests.
func read(line []byte) (h header, payload []byte, err error) {
	text, found := bytes.CutPrefix(line, []byte(prefix))
	body := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(body, text)
	if !found || err != nil || n < bodySize || bytes.ContainsAny(text, "\r\n") {
		return h, nil, errFrame
	}
	body = body[:n]
	sum := crc32.Update(crc32.ChecksumIEEE(body[:headerSize]), crc32.IEEETable, body[bodySize:])
	if binary.LittleEndian.Uint32(body[headerSize:]) != sum {
		return h, nil, errFrame
	}
	le := binary.LittleEndian
	u := func(at int) uint64 { return le.Uint64(body[at:]) }
	h = header{
		kind: kind(body[0]), codec: codec(body[1]),
		lines: le.Uint32(body[4:]), raw: le.Uint32(body[8:]), lost: le.Uint32(body[12:]), seq: u(16),
		moment: moment{int64(u(24)), int64(u(32)), int64(u(40))},
		sums:   sums{u(48), u(56), u(64), u(72), u(80), u(88), u(96)},
	}
	payload = body[bodySize:]
	if h.codec == packed {
		reader, _ := zstd.NewReader(nil)
		defer reader.Close()
		if payload, err = reader.DecodeAll(payload, nil); err != nil {
			return h, nil, err
		}
	}
	if len(payload) != int(h.raw) || uint32(bytes.Count(payload, newline)) < h.lines {
		return h, nil, errFrame
	}
	return h, payload, nil
}

type vector struct {
	Name, Line, Data, Refused string
	Header                    map[string]int64
}

func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v vector) header() header {
	f := v.Header
	u := func(name string) uint64 { return uint64(f[name]) }
	return header{
		kind: kind(f["kind"]), codec: codec(f["codec"]),
		lines: uint32(f["lines"]), raw: uint32(f["raw"]), lost: uint32(f["lost"]), seq: u("seq"),
		moment: moment{f["clock"], f["elapsed"], f["observed"]},
		sums: sums{
			u("output_lines"), u("stderr_lines"), u("bytes"), u("dropped_lines"),
			u("dropped_bytes"), u("filtered_lines"), u("lost_samples"),
		},
	}
}

// The reference encoder and this one make the same frames of the same lines.
func TestFramesAreThoseOfTheReference(t *testing.T) {
	w := newWriter()
	for _, v := range vectors(t) {
		if v.Refused != "" {
			continue
		}
		want := v.header()
		w.sums.dropped, w.sums.droppedBytes = want.sums.dropped, want.sums.droppedBytes
		w.sums.filtered = want.sums.filtered
		var told uint32
		if want.lines > 0 {
			told = lost(want.kind, []byte(v.Data))
		}
		line := w.frame(want.kind, []byte(v.Data), want.lines, told, want.moment)
		got, payload, err := read(bytes.TrimSuffix(line, newline))
		if err != nil || string(payload) != v.Data {
			t.Fatalf("%s: %v: %q", v.Name, err, payload)
		}
		if want.codec == plain && string(line) != v.Line+"\n" {
			t.Errorf("%s: another line", v.Name)
		}
		want.codec = got.codec // what is worth packing is each encoder's own matter
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", v.Name, got, want)
		}
	}
}

func TestVectorsAreRead(t *testing.T) {
	for _, v := range vectors(t) {
		got, payload, err := read([]byte(v.Line))
		switch {
		case v.Refused != "" && err == nil:
			t.Errorf("%s: was accepted", v.Name)
		case v.Refused == "" && (err != nil || got != v.header() || string(payload) != v.Data):
			t.Errorf("%s: %v %+v", v.Name, err, got)
		}
	}
}

func TestWhatDoesNotGetSmallerIsNotPacked(t *testing.T) {
	noise := make([]byte, 0, 300)
	for seed := uint32(1); len(noise) < 299; seed = seed*1664525 + 1013904223 {
		noise = append(noise, byte(seed>>24)|1) // no newline, which is even
	}
	line := newWriter().frame(data, append(noise, '\n'), 1, 0, moment{})
	if h, _, err := read(line[:len(line)-1]); err != nil || h.codec != plain {
		t.Errorf("%v: codec %d", err, h.codec)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"n":1}` + "\n"))
	f.Add([]byte(strings.Repeat("a line of ig\n", 100)))
	w := newWriter()
	f.Fuzz(func(t *testing.T, lines []byte) {
		count := uint32(bytes.Count(lines, newline))
		line := w.frame(data, lines, count, lost(data, lines), moment{1, 2, 3})
		h, payload, err := read(line[:len(line)-1])
		if err != nil || !bytes.Equal(payload, lines) || h.lines != count || bytes.Count(line, newline) != 1 {
			t.Errorf("%v: %q came back as %q", err, lines, payload)
		}
	})
}
