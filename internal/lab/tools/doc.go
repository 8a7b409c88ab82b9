// Package tools makes sure that the programs the lab runs are installed.
package tools
