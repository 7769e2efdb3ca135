#!/usr/bin/perl
# Stands for a worker and a submitter of the original IPC::DirQueue, which cannot be installed here: it does, step by
# step and strictly, what the description of the format says, with Perl's own calls and nothing of ours.
#
#   original-dirqueue.pl submit DIR TEXT...    adds a job for each TEXT; prints its id
#   original-dirqueue.pl work DIR NOTES MS     does jobs until none is free: appends "start PID TEXT" and "done PID TEXT" to NOTES,
#                                              MS milliseconds apart
#   original-dirqueue.pl die DIR               locks the first free job and dies of SIGKILL
#   original-dirqueue.pl fill DIR N            adds N jobs; prints how many milliseconds it took
#   original-dirqueue.pl drain DIR HOW N       does N jobs, `ordered`, or `unordered`: as they come in one listing; prints the same
use strict;
use warnings;
use Fcntl;
use Sys::Hostname;
use Time::HiRes qw(gettimeofday time usleep);
use POSIX qw(strftime);

my ($what, $dir, @rest) = @ARGV;
my $host = hostname();
my $made = 0;

sub ensure { my ($path) = @_; -d $path or mkdir $path or -d $path or die "$path: $!" }

sub spew {
    my ($path, $text) = @_;
    sysopen my $out, $path, O_WRONLY | O_CREAT | O_EXCL or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
}

# link(2), then the temporary name goes; over NFS the link count tells whether it was done.
sub put {
    my ($tmp, $target) = @_;
    my $done = link $tmp, $target;
    $done ||= (stat $tmp)[3] == 2;
    unlink $tmp;
    return $done;
}

sub submit {
    my ($text) = @_;
    my ($seconds, $micros) = gettimeofday();
    my @alphabet = ('A' .. 'Z', 'a' .. 'z', '0' .. '9', '+', '_');
    my $sum = unpack('%16C*', "$host:$$") ^ $made++;
    my $hash = join '', map { $alphabet[($sum >> 6 * $_) & 63] } 0 .. 2;
    my $id = '50.' . strftime('%Y%m%d%H%M%S', gmtime $seconds) . sprintf('%06d', $micros) . ".DN$hash";
    my ($x, $y) = (substr($id, -2, 1), substr($id, -1));
    my $data = "$dir/data/$x/$y/" . substr($id, 0, -2);
    ensure($_) for "$dir/queue", "$dir/tmp", "$dir/data", "$dir/data/$x", "$dir/data/$x/$y";
    spew("$dir/tmp/$id.data", $text);
    put("$dir/tmp/$id.data", $data) or die "$data: $!";
    my $size = length $text;
    spew("$dir/tmp/$id.ctrl", "QDFN: $data\nQDSB: $size\nQSTT: $seconds\nQSTM: $micros\nQSHN: $host\nby: perl\n");
    put("$dir/tmp/$id.ctrl", "$dir/queue/$id") or die "queue/$id: $!";
    utime undef, undef, "$dir/queue";
    return $id;
}

# The first free job: its id, and what its control file says. Ordered, the directory is listed for each.
my $listing;
sub pickup {
    my ($unordered) = @_;
    ensure("$dir/active");
    if (!$unordered || !$listing) { opendir $listing, "$dir/queue" or die "$dir/queue: $!" }
    if ($unordered) {
        while (defined(my $name = readdir $listing)) {
            my @found = $name =~ /^\d/ ? take($name) : ();
            return @found if @found;
        }
        return;
    }
    for my $id (sort grep { /^\d/ } readdir $listing) {
        my @found = take($id);
        return @found if @found;
    }
    return;
}

sub take {
    my ($id) = @_;
    return if -e "$dir/active/$id";
    my $tmp = "$dir/tmp/$id." . int(time()) . ".$host.$$.active";
    spew($tmp, "$host\n$$\n");
    my ($device, $inode) = stat $tmp;
    put($tmp, "$dir/active/$id") or return;
    my @lock = stat "$dir/active/$id";
    return unless @lock && $lock[0] == $device && $lock[1] == $inode;
    my $control;
    if (!open $control, '<', "$dir/queue/$id") { unlink "$dir/active/$id"; return }
    my %said = map { /^([^:]+): (.*)$/ ? ($1, $2) : () } <$control>;
    if (!-e $said{QDFN}) { unlink "$dir/active/$id"; return }
    return ($id, \%said);
}

if ($what eq 'submit') {
    print submit($_), "\n" for @rest;
} elsif ($what eq 'fill') {
    my $began = time();
    submit("job $_") for 1 .. $rest[0];
    printf "%.3f\n", 1000 * (time() - $began);
} elsif ($what eq 'drain') {
    my ($how, $count) = @rest;
    my $began = time();
    for (1 .. $count) {
        my ($id, $said) = pickup($how eq 'unordered') or die "no job is left\n";
        open my $data, '<', $said->{QDFN} or die "$said->{QDFN}: $!";
        my $text = join '', <$data>;
        unlink "$dir/queue/$id", $said->{QDFN}, "$dir/active/$id";
    }
    printf "%.3f\n", 1000 * (time() - $began);
} elsif ($what eq 'die') {
    pickup(0) or die 'no job is free';
    kill 'KILL', $$;
} elsif ($what eq 'work') {
    my ($notes, $ms) = @rest;
    open my $log, '>>', $notes or die "$notes: $!";
    while (my ($id, $said) = pickup(0)) {
        open my $data, '<', $said->{QDFN} or die "$said->{QDFN}: $!";
        my $text = join '', <$data>;
        syswrite $log, "start $$ $text\n";
        usleep(1000 * $ms);
        syswrite $log, "done $$ $text\n";
        unlink "$dir/queue/$id", $said->{QDFN}, "$dir/active/$id";
    }
} else {
    die "what is $what?";
}
