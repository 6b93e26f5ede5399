package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	carried = "/store"                // of gadget images, in the tap's own image
	igStore = "/var/lib/ig/oci-store" // where ig looks for them
	blobs   = "blobs"
)

// What ig reads and, in its turn, writes.
var indexes = [...]string{"index.json", "oci-layout"}

// install copies this program into a directory, for containers whose image lacks it, and the gadget
// images that come with it. It may be called again: a kubelet starts Pods anew.
func install(args []string, store string) error {
	if len(args) != 1 {
		return errors.New("install: expected one directory")
	}
	folder := args[0]
	if err := copyFile("/proc/self/exe", filepath.Join(folder, "igpipe-tap"), 0o755); err != nil {
		return err
	}
	target := filepath.Join(folder, filepath.Base(store))
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if _, err := os.Stat(store); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return os.CopyFS(target, os.DirFS(store))
}

// lay gives ig a store at the place where it looks for one: ig locks and writes the index, which
// is copied; it only reads the images, which stay where they are.
func lay(store, place string) error {
	if _, err := os.Stat(filepath.Join(store, blobs)); err != nil {
		return err
	}
	if err := os.MkdirAll(place, 0o700); err != nil {
		return err
	}
	for _, name := range indexes {
		if err := copyFile(filepath.Join(store, name), filepath.Join(place, name), 0o600); err != nil {
			return err
		}
	}
	return os.Symlink(filepath.Join(store, blobs), filepath.Join(place, blobs))
}

func copyFile(from, to string, mode os.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		return errors.Join(err, target.Close())
	}
	return target.Close()
}
