package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	storePath = "/var/lib/ig/oci-store"
	nameNote  = "org.opencontainers.image.ref.name"
)

// fetch does with the store of gadget images what ig does without a registry: it finds the image
// by its name, reads it, and writes the index anew. It returns what to say of the store; nothing
// where there is none, as with images that are part of ig's own.
func fetch(image string) (told string, err error) {
	path := filepath.Join(storePath, "index.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	var index struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	if err := errors.Join(err, json.Unmarshal(text, &index)); err != nil {
		return "", fmt.Errorf("getting oci store: %w", err)
	}
	for _, entry := range index.Manifests {
		if entry.Annotations[nameNote] == image {
			if err := verify(entry.Digest); err != nil {
				return "", err
			}
			return "images: " + writable(filepath.Join(storePath, "blobs")), os.WriteFile(path, text, 0o600)
		}
	}
	return "", fmt.Errorf("resolving image %q on local registry: not found", image)
}

func verify(digest string) error {
	kind, sum, _ := strings.Cut(digest, ":")
	content, err := os.ReadFile(filepath.Join(storePath, "blobs", kind, sum))
	if err != nil {
		return err
	}
	if found := sha256.Sum256(content); hex.EncodeToString(found[:]) != sum {
		return fmt.Errorf("%s: another content", digest)
	}
	return nil
}

func writable(folder string) string {
	err := os.WriteFile(filepath.Join(folder, "x"), nil, 0o600)
	switch {
	case err == nil:
		return "writable"
	case errors.Is(err, syscall.EROFS):
		return "read-only"
	}
	return err.Error()
}
