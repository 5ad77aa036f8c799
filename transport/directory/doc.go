// Package directory is the connector for folders: the back office of our own
// house drops files for the gateway to pick up, and takes what the gateway
// delivers, on a local disk or on NFS. It follows no standard but the habits of
// the field: a name ending in .tmp, .part or .filepart, or beginning with a
// dot, is a file still being written, and rename is what makes a file appear.
//
// # Picking up
//
// A file is taken when its size and time of change have stood still for the
// settle time. It is claimed first, by a rename to
// .tradepost/claimed/ID-NAME below the folder, and then brought to the Sink
// under a key made of that ID. The claimed folder is the list of what is to be
// done, and the only one: a file that is found there after a crash is accepted
// under the same key, so that it arrives once whatever the moment of the crash.
// Who picks up holds a lock on .tradepost/lock: a second station on the folder
// says so and waits, and does not take what the first has claimed.
//
// # Delivering
//
// Prepare writes the bytes to .tradepost/staged/ID. Send notes its intent in
// .tradepost/sent/ID, then renames the staged file to its final name. After a
// crash the three tell the truth: still staged means not yet visible; not
// staged but intended means that the rename happened, even if the back office
// has taken the file since; neither means that the staged copy was lost, and
// it is staged again from the stored bytes. A final name that is taken is never
// overwritten.
//
// All file names are resolved below the configured folder through os.Root;
// symbolic links, sub-folders and special files are never followed.
package directory
