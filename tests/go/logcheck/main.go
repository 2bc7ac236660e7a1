// Logcheck checks a published transparency log and its proofs with golang.org/x/mod/sumdb alone.
//
// The code here only splits texts and files. Every signature is verified by x/mod's note package, and
// every hash is computed by its tlog package, so that nothing is shared with the code under check.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8
const tileWidth = 1 << tileHeight

func main() {
	folder := flag.String("log", "", "folder of the log: checkpoint and tile/")
	vkey := flag.String("vkey", "", "the log's verifier key")
	proof := flag.String("proof", "", "file with a C2SP log proof (needs -entry)")
	entry := flag.String("entry", "", "file with the entry that the proof is for")
	consistency := flag.String("consistency", "", "file with 'old SIZE', base64 hashes and an empty line")
	flag.Parse()
	if err := run(*folder, *vkey, *proof, *entry, *consistency); err != nil {
		fmt.Fprintln(os.Stderr, "logcheck:", err)
		os.Exit(1)
	}
}

func run(folder, vkey, proof, entry, consistency string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("verifier key: %w", err)
	}
	if folder != "" {
		tree, hashes, err := checkFolder(folder, verifier)
		if err != nil {
			return err
		}
		fmt.Printf("log: %d entries, root %s\n", tree.N, tree.Hash)
		if consistency != "" {
			if err := checkConsistency(consistency, tree, hashes); err != nil {
				return fmt.Errorf("consistency proof: %w", err)
			}
			fmt.Println("consistency proof: holds")
		}
	}
	if proof != "" {
		if err := checkProof(proof, entry, verifier); err != nil {
			return fmt.Errorf("log proof: %w", err)
		}
		fmt.Println("log proof: holds")
	}
	return nil
}

// checkFolder recomputes every tile from the entries and compares it with the file.
func checkFolder(folder string, verifier note.Verifier) (tlog.Tree, storage, error) {
	data, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	tree, err := openCheckpoint(data, verifier)
	if err != nil {
		return tree, nil, fmt.Errorf("checkpoint: %w", err)
	}
	hashes, err := hashEntries(folder, tree.N)
	if err != nil {
		return tree, nil, err
	}
	tiles := tlog.NewTiles(tileHeight, 0, tree.N)
	for i, tile := range tiles {
		if i+1 < len(tiles) && tiles[i+1].L == tile.L && tiles[i+1].N == tile.N {
			continue // x/mod 0.7 lists each width of a partial tile; only the widest belongs to this checkpoint
		}
		name := tilePath(tile)
		found, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return tree, nil, err
		}
		expected, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return tree, nil, fmt.Errorf("%s: %w", name, err)
		}
		if !bytes.Equal(found, expected) {
			return tree, nil, fmt.Errorf("%s: not the hashes of the entries", name)
		}
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return tree, nil, err
	}
	if root != tree.Hash {
		return tree, nil, fmt.Errorf("checkpoint: root %s is signed, the entries lead to %s", tree.Hash, root)
	}
	return tree, hashes, checkTiles(folder, tree)
}

// checkTiles lets x/mod prove every leaf hash from the published tiles down from the signed root.
func checkTiles(folder string, tree tlog.Tree) error {
	reader := tlog.TileHashReader(tree, tileFiles(folder))
	for start := int64(0); start < tree.N; start += tileWidth {
		var indexes []int64
		for n := start; n < start+tileWidth && n < tree.N; n++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, n))
		}
		if _, err := reader.ReadHashes(indexes); err != nil {
			return fmt.Errorf("tiles: %w", err)
		}
	}
	return nil
}

func hashEntries(folder string, size int64) (storage, error) {
	var hashes storage
	for n := int64(0); n < size; {
		width := size - n
		if width > tileWidth {
			width = tileWidth
		}
		name := bundlePath(n/tileWidth, int(width))
		bundle, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		for end := n + width; n < end; n++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s: cut off at entry %d", name, n)
			}
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			stored, err := tlog.StoredHashes(n, bundle[2:length], hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, stored...)
			bundle = bundle[length:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("%s: %d bytes too many", name, len(bundle))
		}
	}
	return hashes, nil
}

// openCheckpoint verifies the log's signature and reads origin, size and root.
func openCheckpoint(data []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("expected the origin %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func checkProof(proofFile, entryFile string, verifier note.Verifier) error {
	text, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a log proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, hashes, err := numberAndHashes(lines, "index ")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint([]byte(checkpoint), verifier)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(tlog.RecordProof(hashes), tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func checkConsistency(file string, tree tlog.Tree, hashes storage) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, _, found := strings.Cut(string(text), "\n\n")
	if !found {
		return fmt.Errorf("no empty line after the hashes")
	}
	old, proof, err := numberAndHashes(strings.Split(head, "\n"), "old ")
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(old, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(tlog.TreeProof(proof), tree.N, tree.Hash, old, root)
}

func numberAndHashes(lines []string, word string) (int64, []tlog.Hash, error) {
	if len(lines) == 0 || !strings.HasPrefix(lines[0], word) {
		return 0, nil, fmt.Errorf("expected the line %q", word)
	}
	number, err := strconv.ParseInt(strings.TrimPrefix(lines[0], word), 10, 64)
	if err != nil {
		return 0, nil, err
	}
	var hashes []tlog.Hash
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, err
		}
		hashes = append(hashes, hash)
	}
	return number, hashes, nil
}

// tilePath is x/mod's path without the height, which C2SP fixes at 8.
func tilePath(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
}

// bundlePath is the path of a tile of the entries.
func bundlePath(index int64, width int) string {
	path := tilePath(tlog.Tile{H: tileHeight, L: 0, N: index, W: width})
	return "tile/entries/" + strings.TrimPrefix(path, "tile/0/")
}

// storage holds the hashes of a tree in the order of x/mod's stored hash indexes.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is beyond the log", index)
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

// tileFiles reads tiles from a folder.
type tileFiles string

func (t tileFiles) Height() int { return tileHeight }

func (t tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(t), tilePath(tile)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes", tilePath(tile), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}
