package main

import "bytes"

// filter leaves out events of some namespaces: those whose own k8s.namespace is one of them.
//
// Lines are searched for the bytes of such a field first, which is cheap; only those that have
// them anywhere are read as JSON. Arrays are not filtered.
type filter struct {
	names  map[string]bool
	fields [][]byte
}

func newFilter(names []string) *filter {
	if len(names) == 0 {
		return nil
	}
	f := &filter{names: map[string]bool{}}
	for _, name := range names {
		f.names[name] = true
		f.fields = append(f.fields, []byte(`"namespace":"`+name+`"`))
	}
	return f
}

// apply returns the lines to keep, and how many were left out; lines itself if none were.
func (f *filter) apply(lines []byte) (kept []byte, left int) {
	if !f.suspects(lines) {
		return lines, 0
	}
	kept = make([]byte, 0, len(lines))
	for line := range bytes.Lines(lines) {
		if f.suspects(line) && f.names[namespace(line)] {
			left++
		} else {
			kept = append(kept, line...)
		}
	}
	return kept, left
}

func (f *filter) suspects(lines []byte) bool {
	for _, field := range f.fields {
		if bytes.Contains(lines, field) {
			return true
		}
	}
	return false
}

// namespace returns an event's own k8s.namespace; empty if it has none, or is no JSON object.
func namespace(line []byte) string {
	s := scanner{text: line}
	if value, found := s.member("k8s"); found && value == '{' {
		if value, found = s.member("namespace"); found && value == '"' {
			text, _ := s.quoted()
			return string(text)
		}
	}
	return ""
}

// scanner walks over JSON that is trusted to be valid; what is not ends the walk.
type scanner struct {
	text []byte
	at   int
}

// member enters the object that begins here and stops before the value of its member name.
func (s *scanner) member(name string) (first byte, found bool) {
	if s.peek() != '{' {
		return 0, false
	}
	for s.at++; s.peek() == '"'; s.at++ {
		key, sound := s.quoted()
		if !sound || s.peek() != ':' {
			return 0, false
		}
		s.at++
		if string(key) == name {
			return s.peek(), true
		}
		if !s.skip() || s.peek() != ',' {
			return 0, false
		}
	}
	return 0, false
}

// quoted reads the string that begins here, escapes as they are.
func (s *scanner) quoted() (text []byte, sound bool) {
	begin := s.at + 1
	for i := begin; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return s.text[begin:i], true
		}
	}
	return nil, false
}

// skip goes behind the value that begins here.
func (s *scanner) skip() bool {
	depth := 0
	for s.at < len(s.text) {
		switch c := s.peek(); c {
		case '"':
			if _, sound := s.quoted(); !sound {
				return false
			}
		case '{', '[':
			depth++
			s.at++
		case '}', ']', ',':
			if depth == 0 {
				return true // behind a number or a word
			}
			if c != ',' {
				depth--
			}
			s.at++
		default:
			s.at++
		}
		if depth == 0 && s.at > 0 && s.at < len(s.text) && closes(s.text[s.at-1]) {
			return true
		}
	}
	return false
}

func closes(c byte) bool { return c == '"' || c == '}' || c == ']' }

// peek returns the next byte that is no space; 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}
