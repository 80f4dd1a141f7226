// Verifies an evidence log with Go's own packages for transparency logs, which know nothing of Hashward.
//
//	tlog LOG VERIFIER-KEY-FILE [OLD-CHECKPOINT]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	key, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	head, err := checkpoint(filepath.Join(args[0], "checkpoint"), verifier)
	if err != nil {
		return err
	}
	log := folder{args[0], head.N}
	hashes := tlog.TileHashReader(head, log)
	for first := int64(0); first < head.N; first += 1 << height {
		if err := log.check(first, head, hashes); err != nil {
			return fmt.Errorf("entries from %d on: %v", first, err)
		}
	}
	if len(args) > 2 {
		old, err := checkpoint(args[2], verifier)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(head.N, old.N, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, head.N, head.Hash, old.N, old.Hash); err != nil {
			return err
		}
	}
	fmt.Printf("%d entries of %s\n", head.N, verifier.Name())
	return nil
}

func checkpoint(path string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("%s: no checkpoint", path)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%s: no root hash", path)
	}
	head := tlog.Tree{N: size}
	copy(head.Hash[:], hash)
	return head, nil
}

// folder reads tiles where C2SP tlog-tiles puts them: Go's own paths name the height too.
type folder struct {
	path string
	size int64
}

func (log folder) Height() int { return height }

func (log folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (log folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := log.read(tile)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// read takes a partial tile from the full one where that has taken its place.
func (log folder) read(tile tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(log.where(tile))
	if os.IsNotExist(err) && tile.W < 1<<height {
		full := tile
		full.W = 1 << height
		data, err = os.ReadFile(log.where(full))
		if err == nil && len(data) >= tile.W*tlog.HashSize {
			data = data[:tile.W*tlog.HashSize]
		}
	}
	return data, err
}

func (log folder) where(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return filepath.Join(log.path, "tile", strings.Replace(path, "data/", "entries/", 1))
}

// check holds each entry of a bundle against its hash in the signed tree, and proves the first and the last one.
func (log folder) check(first int64, head tlog.Tree, hashes tlog.HashReader) error {
	entries, err := log.bundle(first)
	if err != nil {
		return err
	}
	indexes := make([]int64, len(entries))
	for number := range entries {
		indexes[number] = tlog.StoredHashIndex(0, first+int64(number))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for number, entry := range entries {
		if tlog.RecordHash(entry) != leaves[number] {
			return fmt.Errorf("entry %d has another hash", first+int64(number))
		}
	}
	for _, number := range []int{0, len(entries) - 1} {
		index := first + int64(number)
		proof, err := tlog.ProveRecord(head.N, index, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, head.N, head.Hash, index, leaves[number]); err != nil {
			return err
		}
	}
	return nil
}

func (log folder) bundle(first int64) ([][]byte, error) {
	width := log.size - first
	if width > 1<<height {
		width = 1 << height
	}
	data, err := os.ReadFile(log.where(tlog.Tile{H: height, L: -1, N: first >> height, W: int(width)}))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	bundle := bytes.NewReader(data)
	for bundle.Len() > 0 {
		var length uint16
		if err := binary.Read(bundle, binary.BigEndian, &length); err != nil {
			return nil, err
		}
		entry := make([]byte, length)
		if _, err := io.ReadFull(bundle, entry); err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	if int64(len(entries)) != width {
		return nil, fmt.Errorf("%d entries: expected %d", len(entries), width)
	}
	return entries, nil
}
