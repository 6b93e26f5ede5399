package main

import (
	"os"
	"path/filepath"
	"testing"
)

// madeStore makes a store of one image, as ig keeps it: nobody but its owner may read it.
func madeStore(t *testing.T) string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "store")
	if err := os.MkdirAll(filepath.Join(store, blobs, "sha256"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"index.json": `{"manifests":[]}`, "oci-layout": `{}`, blobs + "/sha256/ab": "a gadget",
	} {
		if err := os.WriteFile(filepath.Join(store, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func content(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheProgramInstallsItself(t *testing.T) {
	folder := t.TempDir()
	if err := install([]string{folder}, filepath.Join(folder, "none")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(folder + "/igpipe-tap"); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", info, err)
	}
	if err := install(nil, carried); err == nil {
		t.Error("no directory was accepted")
	}
}

func TestTheStoreIsInstalledAgainAndAgain(t *testing.T) {
	store, folder := madeStore(t), t.TempDir()
	for range 2 {
		if err := install([]string{folder}, store); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, folder, "store", blobs, "sha256", "ab"); got != "a gadget" {
		t.Error(got)
	}
}

func TestIgGetsAnIndexOfItsOwnAndTheSameImages(t *testing.T) {
	store, place := madeStore(t), filepath.Join(t.TempDir(), "oci-store")
	if err := lay(store, place); err != nil {
		t.Fatal(err)
	}
	if got := content(t, place, blobs, "sha256", "ab"); got != "a gadget" {
		t.Error(got)
	}
	if err := os.WriteFile(filepath.Join(place, "index.json"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := content(t, store, "index.json"); got != `{"manifests":[]}` {
		t.Errorf("ig wrote into the store: %s", got)
	}
	if err := lay(filepath.Join(store, "none"), t.TempDir()); err == nil {
		t.Error("a store that is not there was accepted")
	}
}

func TestAStoreThatIsNotThereEndsTheSession(t *testing.T) {
	cmd, out := tap(t, "-store", "/no/such/store", "--", "true")
	if s := finished(t, cmd, out); s.exit != 127 || s.how.Reason != "start" || s.how.Message == "" {
		t.Errorf("exit %d, %+v", s.exit, s.how)
	}
}
