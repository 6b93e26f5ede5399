package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

var cases = map[string]struct {
	line string
	left bool
}{
	"its own namespace":       {`{"k8s":{"containerName":"c","namespace":"shop"},"n":1}`, true},
	"another one":             {`{"k8s":{"namespace":"pay"}}`, false},
	"a longer name":           {`{"k8s":{"namespace":"shopping"}}`, false},
	"an endpoint's":           {`{"dst":{"k8s":{"namespace":"shop"}},"k8s":{"namespace":"pay"}}`, false},
	"behind an endpoint":      {`{"dst":{"k8s":{"namespace":"pay"}},"k8s":{"namespace":"shop"}}`, true},
	"top level":               {`{"namespace":"shop","k8s":{"namespace":"pay"}}`, false},
	"in a string":             {`{"args":"\"k8s\":{\"namespace\":\"shop\"}","k8s":{"namespace":"pay"}}`, false},
	"behind a tricky string":  {`{"args":"x\\","k8s":{"namespace":"shop"}}`, true},
	"behind numbers":          {`{"a":[1,{"b":[]}],"c":-1.5e3,"d":null,"k8s":{"pod":{},"namespace":"shop"}}`, true},
	"an array":                {`[{"k8s":{"namespace":"shop"}}]`, false},
	"text":                    {`level=info "namespace":"shop"`, false},
	"cut":                     {`{"k8s":{"namespace":"shop"`, true},
	"k8s is no object":        {`{"k8s":"x","a":{"namespace":"shop"}}`, false},
	"spaces between":          {`{ "k8s" : { "x" : 1 , "namespace":"shop" } }`, true},
	"a number before the end": {`{"k8s":{"x":1},"namespace":"shop"}`, false},
}

func TestOnlyAnEventsOwnNamespaceCounts(t *testing.T) {
	f := newFilter([]string{"shop", "lab"})
	for name, c := range cases {
		kept, left := f.apply([]byte(c.line + "\n"))
		if (left == 1) != c.left || (len(kept) == 0) != c.left {
			t.Errorf("%s: %d left out, %q kept", name, left, kept)
		}
	}
}

func TestOtherLinesAreKeptAsTheyAre(t *testing.T) {
	lines := []byte(`{"k8s":{"namespace":"pay"}}` + "\n" + `{"k8s":{"namespace":"shop"}}` + "\n[]\n")
	kept, left := newFilter([]string{"shop"}).apply(lines)
	if left != 1 || string(kept) != `{"k8s":{"namespace":"pay"}}`+"\n[]\n" {
		t.Errorf("%d left out, %q kept", left, kept)
	}
	if newFilter(nil) != nil {
		t.Error("a filter of nothing")
	}
}

// What it says of a JSON object is what a full parser says.
func FuzzNamespace(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got := namespace(line)
		var event struct {
			K8s json.RawMessage `json:"k8s"`
		}
		var names struct {
			Namespace string `json:"namespace"`
		}
		fields := map[string]json.RawMessage{}
		// encoding/json matches names in any case and takes the last of equal ones; ig does neither.
		if json.Unmarshal(line, &fields) != nil || bytes.Count(line, []byte(`"k8s"`)) > 1 ||
			bytes.Count(line, []byte(`"namespace"`)) > 1 || !utf8.Valid(line) || bytes.Contains(line, []byte(`\`)) {
			return
		}
		event.K8s = fields["k8s"]
		inner := map[string]json.RawMessage{}
		if json.Unmarshal(event.K8s, &inner) == nil {
			_ = json.Unmarshal(inner["namespace"], &names.Namespace)
		}
		if got != names.Namespace && json.Valid([]byte(`"`+got+`"`)) {
			t.Errorf("%q: got %q, want %q", line, got, names.Namespace)
		}
	})
}
