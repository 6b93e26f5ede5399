package main

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
)

// The format is specified in docs/tap-format.md.
const (
	prefix     = "igtap1 "
	headerSize = 104
	bodySize   = headerSize + 4
	worth      = 256 // bytes from which packing is tried
)

type kind uint8

const (
	hello kind = 1 + iota
	ready
	data
	stderr
	heartbeat
	end
)

type codec uint8

const (
	plain codec = iota
	packed
)

// header is what a frame says beside its payload; times in nanoseconds.
type header struct {
	kind   kind
	codec  codec
	lines  uint32
	raw    uint32
	lost   uint32
	seq    uint64
	moment moment
	sums   sums
}

// moment is a time by the node's clock, since the tap's start, and since ig's readiness.
type moment struct {
	clock    int64
	elapsed  int64
	observed int64
}

// sums are counts since the start.
type sums struct {
	output, stderr, bytes uint64
	dropped, droppedBytes uint64
	filtered, lost        uint64
}

func (h *header) put(b []byte) {
	le := binary.LittleEndian
	b[0], b[1], b[2], b[3] = byte(h.kind), byte(h.codec), 0, 0
	le.PutUint32(b[4:], h.lines)
	le.PutUint32(b[8:], h.raw)
	le.PutUint32(b[12:], h.lost)
	for i, v := range [...]uint64{
		h.seq, uint64(h.moment.clock), uint64(h.moment.elapsed), uint64(h.moment.observed),
		h.sums.output, h.sums.stderr, h.sums.bytes,
		h.sums.dropped, h.sums.droppedBytes, h.sums.filtered, h.sums.lost,
	} {
		le.PutUint64(b[16+8*i:], v)
	}
}

// writer makes frames, one after the other, in buffers that it keeps.
type writer struct {
	packer *zstd.Encoder
	sums   sums
	seq    uint64
	body   []byte
	line   []byte
}

func newWriter() *writer {
	packer, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(1<<18),
		zstd.WithEncoderCRC(false), // the frame has a checksum of its own
	)
	if err != nil {
		panic(err) // the options are constants
	}
	return &writer{packer: packer}
}

// frame writes the next frame, with its newline; the result is valid until the next call.
func (w *writer) frame(k kind, payload []byte, lines, lost uint32, at moment) []byte {
	switch k {
	case data:
		w.sums.output += uint64(lines)
	case stderr:
		w.sums.stderr += uint64(lines)
	}
	if lines > 0 {
		w.sums.bytes += uint64(len(payload))
	}
	w.sums.lost += uint64(lost)
	h := header{
		kind: k, lines: lines, raw: uint32(len(payload)), lost: lost,
		seq: w.seq, moment: at, sums: w.sums,
	}
	w.seq++
	return w.seal(&h, payload)
}

func (w *writer) seal(h *header, payload []byte) []byte {
	var empty [bodySize]byte
	w.body = append(w.body[:0], empty[:]...)
	if len(payload) >= worth {
		w.body = w.packer.EncodeAll(payload, w.body)
		h.codec = packed
	}
	if h.codec == plain || len(w.body)-bodySize >= len(payload) {
		w.body = append(w.body[:bodySize], payload...)
		h.codec = plain
	}
	h.put(w.body)
	sum := crc32.ChecksumIEEE(w.body[:headerSize])
	sum = crc32.Update(sum, crc32.IEEETable, w.body[bodySize:])
	binary.LittleEndian.PutUint32(w.body[headerSize:], sum)
	w.line = append(w.line[:0], prefix...)
	w.line = base64.StdEncoding.AppendEncode(w.line, w.body)
	w.line = append(w.line, '\n')
	return w.line
}
